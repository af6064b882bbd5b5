"""Help: its pages are read from files that come with the program, and every word leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from latentlab.errors import SettingsError
from latentlab.paths import bundled_models
from latentlab.session.bundled_cards import _said, bundled_cards, card_text
from latentlab.session.glossary import glossary, glossary_text
from latentlab.session.help_pages import card_page, help_pages, search, title_of

# The words of the program's architecture, and some that the screens cannot do without.
NEEDED = {
    *("latent", "condition", "dataset", "attribute", "group", "model", "checkpoint", "frame", "study"),
    *("follow", "keep", "composition bias", "counterfactual", "corrected", "raw", "interval", "eps", "told"),
}


def test_the_glossary_explains_the_programs_words_and_refers_only_to_words_it_explains() -> None:
    words = {word.word: word for word in glossary()}
    assert words.keys() >= NEEDED
    assert list(words) == sorted(words, key=str.casefold)
    text = glossary_text(tuple(words.values()))
    links = set(re.findall(r"\]\(<#([^>]*)>\)", text))
    headings = set(re.findall(r"^### (.*)$", text, re.MULTILINE))
    assert links
    assert links <= headings


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("word: latent", "a list of words"),
        ("- latent", "word 1"),
        ("- {word: latent}", "word 1"),
        ("- {word: latent, meaning: A, kind: B}", "word 1"),
        ("- {word: latent, meaning: A}\n- {word: latent, meaning: B}", "twice"),
        ("- {word: latent, meaning: A, see: [prior]}", "'prior'"),
        ("- {word: latent, meaning: A, see: prior}", "lists of texts"),
        ("- [", "cannot be read"),
    ],
)
def test_a_faulty_glossary_says_where_and_what_is_wrong(tmp_path: Path, text: str, part: str) -> None:
    path = tmp_path / "words.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=re.escape(part)) as caught:
        glossary(path)
    assert str(path) in str(caught.value)


def test_every_bundled_checkpoints_card_is_a_page_and_its_pictures_lie_beside_it() -> None:
    pages = {page.id: page for page in help_pages("# Keys")}
    for name, folder in bundled_models().items():
        page = pages[f"model:{name}"]
        assert page.folder == folder
        assert page.text.startswith(f"# {name}"), "front matter and comments are left out"
        assert "<!--" not in page.text
        for picture in re.findall(r"!\[[^\]]*\]\(([^)]*)\)", page.text):
            assert (folder / picture).is_file()
    assert pages["keys"].text == "# Keys"
    assert {"start", "explore", "counterfactuals", "analogies", "audit", "search", "train"} <= pages.keys()
    assert "Apache" in pages["credits"].text
    assert all(title_of(page.text) for page in pages.values())


def test_a_search_finds_what_holds_all_words_and_puts_the_page_about_them_first() -> None:
    pages = help_pages("# Keys\n\n| Ctrl+R | Randomise |")
    assert search(pages, "composition bias")[0].id == "glossary"
    assert search(pages, "AUDIT")[0].id == "audit"
    assert [page.id for page in search(pages, "ctrl+r randomise")] == ["keys"]
    assert search(pages, "nothing holds these words together") == ()


def test_what_is_said_of_bundled_models_fits_them() -> None:
    screens = {"explore", "counterfactuals", "analogies", "audit", "search"}
    cards = bundled_cards()
    assert {card.name for card in cards} == set(bundled_models())
    assert cards[0].name == "faces-vae", "the first card is the best place to begin"
    for card in cards:
        assert card.title
        assert card.sentence
        assert card.screen in screens
        if card.kind == "model":
            assert card.picture is not None


def test_a_model_of_which_nothing_is_said_is_shown_by_its_card(
    tmp_path: Path, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from latentlab.session import bundled_cards as module

    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("{}")
    monkeypatch.setattr(module, "bundled_models", lambda: {"tiny": tiny_model_folder, "broken": broken})
    (card,) = bundled_cards()
    assert (card.name, card.title, card.screen, card.picture) == ("tiny", "tiny", "explore", None)
    assert card_page(broken, "broken").text.endswith(f"No model card lies in {broken}.")
    (broken / "README.md").write_text("---\nlicense: mit\n---\n\n# It\n\n<!-- note -->\nIt draws.\n")
    assert card_text(broken) == "# It\n\nIt draws."


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("- faces", "mapping of models"),
        ("faces: A", "faces"),
        ("faces: {colour: red}", "colour"),
        ("faces: {title: 3}", "are texts"),
        ("faces: {crop: [0, 0, 0, 10]}", "left, top, width and height"),
        ("faces: {crop: all}", "left, top, width and height"),
    ],
)
def test_a_faulty_file_about_models_says_what_is_wrong(tmp_path: Path, text: str, part: str) -> None:
    path = tmp_path / "models.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=part):
        _said(path)
