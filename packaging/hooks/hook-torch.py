"""What of PyTorch goes into a bundle: all that runs, no headers, no tests, and no library of CUDA's.

It takes the place of the hook that comes with PyInstaller, which adds what PyTorch's metadata requires.
"""

from listed import modules_of
from PyInstaller.utils.hooks import collect_data_files, collect_dynamic_libs

module_collection_mode = "pyz+py"  # PyTorch reads its own source
warn_on_missing_hiddenimports = False
bindepend_symlink_suppression = ["**/torch/lib/*.so*"]

UNUSED = ("torch.utils.benchmark", "torch.utils.bottleneck")
NOT_READ = (
    "**/*.h",
    "**/*.hpp",
    "**/*.cuh",
    "**/*.cpp",
    "**/*.pyi",
    "**/*.cmake",
    "**/*.a",
    "bin/protoc*",
    "test/**",
)

hiddenimports = modules_of("torch", UNUSED)
datas = collect_data_files("torch", excludes=list(NOT_READ))
binaries = collect_dynamic_libs("torch", search_patterns=["*.so", "*.so.*", "*.dylib", "*.dll"])
