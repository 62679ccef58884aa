"""An emulated 64-bit Arm core: what it is made of, and one run of a model on it.

qemu-user runs LiteRT's own aarch64 library with ``native/run_model.c`` around it, and the plugin
``native/count.c`` counts the instructions. docs/arm.md says what their number stands for.
"""
