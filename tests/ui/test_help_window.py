"""Help and About by hand: searched, read, and nothing fetched from anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from driver import Driver
from PIL import Image
from PySide6.QtCore import QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QImage, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

import latentlab
from latentlab.session.credits import credits_text
from latentlab.ui.about import AboutDialog
from latentlab.ui.action_table import TABLE, ActionSpec
from latentlab.ui.help_keys import keys_text
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.markdown_page import MarkdownPage

IMAGE = QTextDocument.ResourceType.ImageResource.value


@pytest.fixture
def page(qtbot, qapp) -> MarkdownPage:
    found = MarkdownPage(Theme(qapp))
    qtbot.addWidget(found)
    found.resize(640, 480)
    found.show()
    return found


def test_the_page_of_keys_is_made_of_the_table_of_actions() -> None:
    text = keys_text()
    for spec in TABLE:
        if isinstance(spec, ActionSpec):
            title = spec.title.replace("&", "").rstrip("…")
            keys = f"`{spec.keys}`" if spec.keys else " "
            assert f"| {keys} | {title} | {spec.tip} |" in text.splitlines()


def test_f1_opens_help_at_the_screen_that_is_looked_at_and_a_search_finds_its_words(
    qtbot, make_window
) -> None:
    window = Driver(qtbot, make_window()).window
    window.show_screen("audit")
    window.actions_table["help"].trigger()
    helping = window._help
    assert helping.isVisible()
    assert helping.shown.id == "audit"
    QTest.keyClicks(helping.search, "worst first")
    assert helping.shown.id == "audit", "the page that is read stays while none answers better"
    assert helping.page.extraSelections()
    helping.search.clear()
    QTest.keyClicks(helping.search, "smoothing factor")
    assert helping.shown.id == "glossary"
    top = helping.page.cursorForPosition(helping.page.viewport().rect().topLeft()).block()
    nearby = [top.text(), top.next().text(), top.next().next().text()]
    assert "smoothing factor" in nearby, "the word's own entry is at the top"
    assert "Enter" in helping.found.text()
    helping.search.setText("no page holds this")
    assert helping.found.text() == "No page holds these words."
    assert helping.shown is None
    window.actions_table["help"].trigger()
    assert helping.search.text() == ""
    assert helping.shown.id == "audit"
    helping.show_page("glossary")
    helping.page._follow(QUrl("#truncation"))
    assert helping.page.textCursor().block().text() == "truncation"


def test_the_card_of_an_open_model_is_read_wherever_it_lies_and_about_shows_all_credits(
    driver, tmp_path
) -> None:
    window = driver.window
    assert not window.actions_table["model_card"].isEnabled()
    assert "No model card" in window.actions_table["model_card"].toolTip()
    folder = tmp_path / "mine"
    folder.mkdir()
    for file in Path(driver.workspace.opened.path).iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# mine\n\nIt is for a test.\n")
    driver.workspace.open_checkpoint(str(folder), "")
    driver.wait(lambda: driver.workspace.in_step and driver.workspace.opened.path == str(folder))
    driver.rest()
    window.actions_table["model_card"].trigger()
    assert "It is for a test." in window._help.page.toPlainText()
    assert "license" not in window._help.page.toPlainText()

    # About
    window.actions_table["about"].trigger()
    dialog = window.findChild(AboutDialog)
    assert dialog.isVisible()
    assert dialog.page.text == credits_text()
    assert "Lisa Wischofsky" in dialog.page.toPlainText()
    dialog.copy.click()
    assert QApplication.clipboard().text().startswith(f"LatentLab {latentlab.__version__}\nPython 3.")
    dialog.reject()


def test_a_page_shows_pictures_of_its_own_folder_and_nothing_else(page, tmp_path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    Image.new("RGB", (2000, 400), (0, 0, 255)).save(inside / "wide.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "outside.png")
    (inside / "link.png").symlink_to(tmp_path / "outside.png")
    text = "# A\n\n![](wide.png) ![](../outside.png) ![](link.png) ![](http://localhost/a.png) <b>x</b>"
    page.show_text(text, inside)
    QApplication.processEvents()
    assert not page.loadResource(IMAGE, QUrl("wide.png")).isNull()
    for name in ("../outside.png", "link.png", "http://localhost/a.png", str(tmp_path / "outside.png")):
        for address in (QUrl(name), QUrl.fromLocalFile(name)):
            found = page.loadResource(IMAGE, address)
            assert isinstance(found, QImage)
            assert found.isNull(), name
    assert "<b>x</b>" in page.toPlainText(), "nothing is taken for HTML"
    assert page.document().idealWidth() <= page.viewport().width(), "wide pictures are fitted in"


def test_a_link_that_leads_out_asks_first(page, monkeypatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    address = QUrl("https://example.org/a")

    def answer(button: str) -> None:
        box = page.findChild(QMessageBox)
        assert address.toString() in box.informativeText()
        next(one for one in box.buttons() if one.text() == button).click()

    for button in ("Cancel", "Copy the address"):
        QTimer.singleShot(50, lambda button=button: answer(button))
        page._follow(address)
        QApplication.processEvents()
    assert opened == []
    assert QApplication.clipboard().text() == address.toString()
    QTimer.singleShot(50, lambda: answer("Open it"))
    page._follow(address)
    assert opened == [address.toString()]
    page._follow(QUrl("file:///etc/passwd"))
    page._follow(QUrl("javascript:alert(1)"))
    assert opened == [address.toString()]


def test_a_page_follows_the_theme_and_stays_where_it_was_read(page) -> None:
    page.show_text("# A\n\n" + "word word\n\n" * 200 + "| a | b |\n|---|---|\n| `1` | 2 |\n")
    page.verticalScrollBar().setValue(300)
    theme = page._theme
    theme.choose("dark")
    try:
        assert page.verticalScrollBar().value() == 300
        assert page.grab().toImage().pixelColor(2, 2).lightness() < 80
    finally:
        theme.choose("system")
