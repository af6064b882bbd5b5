"""What of OpenVINO goes into a bundle: its core and the plugin for processors.

The program hands it graphs that it made itself (`latentlab/live/translate.py`), so it reads no files of other
frameworks; and it asks for the device CPU only.
"""

from listed import modules_of
from PyInstaller.utils.hooks import collect_dynamic_libs

UNUSED = ("_frontend", "_gpu_plugin", "_npu_plugin", "_auto_plugin", "_auto_batch_plugin", "_hetero_plugin")
READERS = ("jax", "onnx", "paddle", "pytorch", "tensorflow")
OTHERS = ("openvino.torch", "openvino.tools", *(f"openvino.frontend.{one}" for one in READERS))
LIBRARIES = ["*.so", "*.so.*", "*.dylib", "*.dll"]

binaries = [
    (file, folder)
    for file, folder in collect_dynamic_libs("openvino", search_patterns=LIBRARIES)
    if not any(part in file.rpartition("/")[2] for part in UNUSED) and "/frontend/" not in file
]
hiddenimports = modules_of("openvino", OTHERS)
excludedimports = [*OTHERS, "openvino_telemetry"]
