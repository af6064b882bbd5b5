from __future__ import annotations

import pytest
from PySide6.QtCore import Qt, QTimer

from latentlab.ui.action_table import TABLE, ActionSpec
from latentlab.ui.widgets.command_palette import CommandPalette


@pytest.fixture
def palette(driver):
    found = CommandPalette(driver.window.actions_table.commands(), driver.window.theme, driver.window)
    driver.qtbot.addWidget(found)
    found.show()
    return found


def shown(palette: CommandPalette) -> list[str]:
    rows = (palette.list.topLevelItem(row) for row in range(palette.list.topLevelItemCount()))
    return [row.text(0) for row in rows if not row.isHidden()]


def test_every_action_is_listed_with_its_keys(driver, palette) -> None:
    assert len(shown(palette)) == sum(isinstance(spec, ActionSpec) for spec in TABLE) - 1
    row = palette.list.findItems("Randomise", Qt.MatchFlag.MatchExactly, 0)[0]
    assert (row.text(1), row.text(2)) == ("Latent", "Ctrl+R")
    grey = palette.list.findItems("Reset all", Qt.MatchFlag.MatchExactly, 0)[0]
    assert grey.isDisabled()
    assert "at its start" in grey.toolTip(0)


def test_words_filter_by_title_menu_and_keys(driver, palette) -> None:
    driver.qtbot.keyClicks(palette.search, "latent mut")
    assert shown(palette) == ["Mutate"]
    palette.search.clear()
    driver.qtbot.keyClicks(palette.search, "ctrl+shift+s")
    assert shown(palette) == ["Export figure"]
    palette.search.setText("nothing like it")
    assert shown(palette) == []
    driver.qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert palette.isVisible()


def test_the_chosen_command_is_done_when_the_list_has_closed(driver) -> None:
    def choose() -> None:
        palette = driver.window.findChild(CommandPalette)
        driver.qtbot.keyClicks(palette.search, "rand")
        driver.qtbot.keyClick(palette.search, Qt.Key.Key_Return)

    QTimer.singleShot(100, choose)
    driver.window.actions_table["commands"].trigger()
    assert driver.undo_name == "Randomise (seed 0)"


def test_arrow_keys_move_while_the_search_has_the_focus_and_escape_leaves(driver) -> None:
    def leave() -> None:
        palette = driver.window.findChild(CommandPalette)
        first = palette.list.currentItem()
        driver.qtbot.keyClick(palette.search, Qt.Key.Key_Down)
        assert palette.list.currentItem() is not first
        driver.qtbot.keyClick(palette.search, Qt.Key.Key_Escape)

    before = driver.undo_name
    QTimer.singleShot(100, leave)
    driver.window.actions_table["commands"].trigger()
    assert driver.undo_name == before
