"""A page of Markdown to read: pictures come from the page's own folder only, links ask before they open."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRegularExpression, QSize, Qt, QUrl, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QDesktopServices,
    QFont,
    QGuiApplication,
    QImage,
    QImageReader,
    QResizeEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextOption,
    QTextTable,
    QTextTableFormat,
)
from PySide6.QtWidgets import QFrame, QMessageBox, QTextBrowser, QTextEdit, QWidget

from latentlab.ui.theme import Theme

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif")
MARGIN, LINE_HEIGHT = 28.0, 135.0
"""Around the text, in pixels, and from line to line, in percent."""
WIDTH = 99.0
"""Of a table of few columns, in percent of the page: all of it would be a border too wide."""
_SIZES = {1: 22, 2: 17, 3: 14, 4: 13}
# Heights of the letters of headings, in pixels.
_ABOVE = {1: 4.0, 2: 22.0, 3: 16.0, 4: 12.0}


class MarkdownPage(QTextBrowser):
    """Shows Markdown text in the theme's colours; ``page_asked`` is a link to another page of Help."""

    page_asked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._folder: Path | None = None
        self._text, self._words = "", ""
        self._ours = False
        self._pictures: list[QTextCursor] = []
        # Where pictures stand, each selected.
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setReadOnly(True)
        self.setAccessibleName("Text")
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextBrowserInteraction | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.anchorClicked.connect(self._follow)
        theme.changed.connect(self._show_anew)

    @property
    def text(self) -> str:
        """The Markdown that is shown."""
        return self._text

    def show_text(self, text: str, folder: Path | None = None) -> None:
        """Show a text from its beginning.

        Parameters
        ----------
        folder
            Where its pictures lie; without it none is shown.
        """
        self._text, self._folder = text, folder
        # A document that is not shown yet is laid out once, when all of it is there.
        document = QTextDocument(self)
        document.setDefaultFont(self.font())
        document.setDefaultTextOption(self.document().defaultTextOption())
        document.setDocumentMargin(MARGIN)
        # Nothing in a text is taken for HTML: a card may come from anywhere.
        document.setMarkdown(
            text,
            QTextDocument.MarkdownFeature.MarkdownDialectGitHub
            | QTextDocument.MarkdownFeature.MarkdownNoHTML,
        )
        self._dress(document)
        former, ours = self.document(), self._ours
        self.setDocument(document)
        self._ours = True
        if ours:
            former.deleteLater()
        self.verticalScrollBar().setValue(0)
        self.mark(self._words)

    def mark(self, words: str) -> int:
        """Mark where words stand, and return in how many places they do; the empty text marks none."""
        self._words = words
        marks = []
        shade = QTextCharFormat()
        shade.setBackground(self._theme.colour("accent_soft"))
        shade.setForeground(self._theme.colour("text"))
        for word in words.split():
            pattern = QRegularExpression(
                QRegularExpression.escape(word), QRegularExpression.PatternOption.CaseInsensitiveOption
            )
            found = self.document().find(pattern, 0)
            while not found.isNull():
                mark = QTextEdit.ExtraSelection()
                mark.cursor, mark.format = found, shade
                marks.append(mark)
                found = self.document().find(pattern, found)
        self.setExtraSelections(marks)
        return len(marks)

    def go_on(self, backward: bool = False) -> bool:
        """Go to the next place of the first marked word, from the end to the beginning again."""
        word = next(iter(self._words.split()), "")
        if not word:
            return False
        flag = QTextDocument.FindFlag.FindBackward if backward else QTextDocument.FindFlag(0)
        if not self.find(word, flag):
            end = QTextCursor.MoveOperation.End if backward else QTextCursor.MoveOperation.Start
            self.moveCursor(end)
            return self.find(word, flag)
        return True

    def go_to(self, heading: str) -> bool:
        """Show a heading at the top, and say whether there is one of these words."""
        block = self.document().begin()
        while block.isValid():
            if block.blockFormat().headingLevel() and block.text().casefold() == heading.casefold():
                self.setTextCursor(QTextCursor(block))
                place = self.document().documentLayout().blockBoundingRect(block).top()
                self.verticalScrollBar().setValue(round(place) - 8)
                return True
            block = block.next()
        return False

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """Return a picture of the page's own folder; nothing else is read, and nothing from the network."""
        path = self._own(QUrl(name).toString())
        if path is None:
            return QImage()
        return QImageReader(str(path)).read()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let wide pictures be as wide as the page at most."""
        super().resizeEvent(event)
        self._fit_pictures()

    # Within

    def _own(self, name: str) -> Path | None:
        """Return the picture of that name in the page's folder; None for anything else."""
        if self._folder is None or ":" in name or not name.lower().endswith(PICTURES):
            return None
        folder = self._folder.resolve()
        path = (folder / name).resolve()
        return path if path.is_relative_to(folder) and path.is_file() else None

    def _follow(self, url: QUrl) -> None:
        text = url.toString(QUrl.ComponentFormattingOption.FullyDecoded)
        if text.startswith("#"):
            self.go_to(text[1:])
        elif url.scheme() == "help":
            self.page_asked.emit(text.removeprefix("help:"))
        elif url.scheme() in ("http", "https", "mailto"):
            self._ask_to_open(url)

    def _ask_to_open(self, url: QUrl) -> None:
        box = QMessageBox(self)
        box.setWindowTitle("Open a link")
        box.setText("This link leads out of LatentLab, into your browser.")
        box.setInformativeText(url.toString())
        opens = box.addButton("Open it", QMessageBox.ButtonRole.AcceptRole)
        copies = box.addButton("Copy the address", QMessageBox.ButtonRole.ActionRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        if box.clickedButton() is opens:
            QDesktopServices.openUrl(url)
        elif box.clickedButton() is copies:
            QGuiApplication.clipboard().setText(url.toString())
        box.deleteLater()

    def _show_anew(self) -> None:
        place = self.verticalScrollBar().value()
        self.show_text(self._text, self._folder)
        self.verticalScrollBar().setValue(place)

    def _dress(self, document: QTextDocument) -> None:
        """Give headings, paragraphs, code, tables and pictures the looks of the window."""
        cursor = QTextCursor(document)
        cursor.beginEditBlock()
        self._pictures = []
        block = document.begin()
        while block.isValid():
            self._dress_block(cursor, block)
            block = block.next()
        for frame in document.rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                self._dress_table(frame)
        self._fit_pictures()
        cursor.endEditBlock()
        document.clearUndoRedoStacks()

    def _dress_block(self, cursor: QTextCursor, block: QTextBlock) -> None:
        level = block.blockFormat().headingLevel()
        form = QTextBlockFormat()
        code = _is_code(block)
        form.setNonBreakableLines(False)  # a long command goes on in the next line
        pieces, picture = block.begin(), False
        while not pieces.atEnd():
            piece = pieces.fragment()
            begin, end, letters = piece.position(), piece.position() + piece.length(), piece.charFormat()
            cursor.setPosition(begin)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            if letters.isImageFormat():
                picture = True
                self._pictures.append(QTextCursor(cursor))
            else:
                cursor.mergeCharFormat(self._letters(letters, level))
            pieces += 1
        height = 100.0 if picture or code else LINE_HEIGHT
        form.setLineHeight(height, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        in_table = QTextCursor(block).currentTable() is not None
        if level:
            form.setTopMargin(_ABOVE.get(level, 12.0) if block.blockNumber() else 0.0)
            form.setBottomMargin(4.0)
        elif code:
            self._dress_code(form, block)
        elif in_table:
            form.setTopMargin(0.0)
            form.setBottomMargin(0.0)
            form.setAlignment(Qt.AlignmentFlag.AlignLeft)
        elif block.textList() is not None:
            form.setBottomMargin(5.0)
        else:
            form.setTopMargin(8.0 if block.previous().textList() is not None else 0.0)
            form.setBottomMargin(8.0)
        cursor.setPosition(block.position())
        cursor.mergeBlockFormat(form)

    def _dress_code(self, form: QTextBlockFormat, block: QTextBlock) -> None:
        """Lay all lines of a program on one ground."""
        last = not _is_code(block.next())
        form.setBackground(self._theme.colour("sunken"))
        form.setBottomMargin(12.0 if last else 0.0)

    def _letters(self, present: QTextCharFormat, level: int) -> QTextCharFormat:
        letters = QTextCharFormat()
        if level:
            letters.setProperty(QTextCharFormat.Property.FontPixelSize, _SIZES.get(level, 13))
            letters.setFontWeight(QFont.Weight.DemiBold)
        elif present.fontWeight() > QFont.Weight.Medium:
            letters.setFontWeight(QFont.Weight.DemiBold)
        if present.isAnchor():
            letters.setForeground(self._theme.colour("accent"))
        elif present.fontFixedPitch():
            letters.setBackground(self._theme.colour("sunken"))
        return letters

    def _dress_table(self, table: QTextTable) -> None:
        line = QColor(self._theme.colours.line)
        form = QTextTableFormat()
        form.setCellPadding(6.0)
        form.setCellSpacing(0.0)
        form.setBorder(1.0)
        form.setBorderCollapse(True)
        form.setBorderBrush(QBrush(line))
        form.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        form.setTopMargin(4.0)
        form.setBottomMargin(14.0)
        form.setWidth(
            QTextLength(QTextLength.Type.PercentageLength, WIDTH) if table.columns() < 6 else QTextLength()
        )
        form.setHeaderRowCount(1)
        form.setColumnWidthConstraints([])
        table.setFormat(form)
        if table.rows() > 1 and not any(
            table.cellAt(0, column).firstCursorPosition().block().text() for column in range(table.columns())
        ):
            table.removeRows(0, 1)

    def _fit_pictures(self) -> None:
        """Make pictures that are wider than the page as wide as it is."""
        room = self.viewport().width() - 2 * MARGIN - 4
        for cursor in self._pictures:
            form = cursor.charFormat().toImageFormat()
            path = self._own(form.name())
            size = QSize() if path is None else QImageReader(str(path)).size()
            width = min(float(size.width()), room)
            if size.isValid() and room > 0 and abs(form.width() - width) >= 1.0:
                form.setWidth(width)
                form.setHeight(width * size.height() / max(1, size.width()))
                cursor.setCharFormat(form)


def _is_code(block: QTextBlock) -> bool:
    return block.blockFormat().hasProperty(QTextFormat.Property.BlockCodeLanguage)
