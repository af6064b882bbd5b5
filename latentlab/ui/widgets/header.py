"""The bar under the menus: what is open on the left, what is done most on the right."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QWidget

from latentlab.live.frames import Opened
from latentlab.ui.actions import Actions
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.buttons import icon_button, menu_button, text_button

FAMILIES = {
    "vae": "VAE",
    "cvae": "Conditional VAE",
    "cinn": "Conditional INN",
    "dbvae": "Debiasing VAE",
    "conv_vae": "VAE",
    "mlp_vae": "VAE",
    "autoencoder_kl": "Spatial autoencoder",
    "stylegan2": "StyleGAN2",
    "net2net": "Conditional INN",
    "onnx": "ONNX",
}


class Header(QWidget):
    """Name of the model, samples and own pictures, undo, ways of looking, copy and export."""

    def __init__(self, actions: Actions, samples: QMenu, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = QLabel("LatentLab")
        self._name.setProperty("role", "name")
        self._about = QLabel()
        self._about.setProperty("role", "caption")
        self.samples = menu_button("Samples", samples, actions["open_picture"], theme)
        self.samples.setToolTip("Bundled pictures that no bundled model was trained on")
        self.export = QMenu(self)
        for identifier in (
            "export_picture",
            "export_figure",
            "export_table",
            "export_report",
            "export_loop",
            "export_set",
            "copy_picture",
            "copy_python",
        ):
            if identifier == "copy_picture":
                self.export.addSeparator()
            self.export.addAction(actions[identifier])
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 6, 16, 6)
        layout.setSpacing(6)
        layout.addWidget(self._name)
        layout.addSpacing(6)
        layout.addWidget(self._about)
        layout.addStretch(1)
        layout.addWidget(self.samples)
        layout.addWidget(text_button(actions["open_picture"], "Open picture"))
        layout.addWidget(_line())
        for identifier in ("undo", "redo"):
            layout.addWidget(icon_button(actions[identifier]))
        layout.addWidget(_line())
        for identifier in ("side_by_side", "show_pixels"):
            layout.addWidget(icon_button(actions[identifier]))
        layout.addWidget(_line())
        layout.addWidget(icon_button(actions["copy_picture"]))
        layout.addWidget(menu_button("Export", self.export, actions["export_picture"], theme))

    def show_model(self, opened: Opened | None) -> None:
        """Show what is open."""
        if opened is None:
            self._name.setText("LatentLab")
            self._about.setText("")
            return
        spec = opened.spec
        family = FAMILIES.get(spec.family, spec.family)
        shape = " x ".join(str(n) for n in spec.latent_shape)
        self._name.setText(opened.name)
        self._about.setText(f"{family} · {spec.image_size} px · {shape} latent dimensions")
        self._name.setToolTip(f"{opened.path}\nSHA-256 of the weights: {opened.sha256}")


def _line() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.VLine)
    line.setFrameShadow(QFrame.Shadow.Plain)
    line.setObjectName("line")
    line.setFixedHeight(20)
    return line
