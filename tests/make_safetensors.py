"""Files as PyTorch's users have them, made by the safetensors package itself: tests/golden/safetensors/.

    python3 tests/make_safetensors.py
"""
import pathlib

import torch
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parent / "golden" / "safetensors"


def halves(dtype):
    """Some of each kind of 16-bit float: zeros, subnormals, normals, the largest, infinities, not a number."""
    special = [0x0000, 0x8000, 0x0001, 0x03FF, 0x0400, 0x7BFF, 0x7C00, 0xFC00, 0x7F7F, 0x7F80, 0xFF80, 0x0080, 0x007F]
    bits = special + [i * 67 % 65536 for i in range(978)]
    return torch.tensor([b - 65536 if b > 32767 else b for b in bits], dtype=torch.int16).view(dtype)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    tensors = {}
    for name, dtype in (("f16", torch.float16), ("bf16", torch.bfloat16)):
        tensors[name] = halves(dtype)
        tensors[name + ".expected"] = tensors[name].float()
    save_file(tensors, FOLDER / "halves.safetensors", metadata={"format": "pt"})

    norm = torch.nn.BatchNorm2d(3)
    norm(torch.arange(24.0).reshape(2, 3, 2, 2))
    save_file(norm.state_dict(), FOLDER / "batch_norm.safetensors", metadata={"format": "pt"})

    one = {"bool": torch.bool, "i8": torch.int8, "u8": torch.uint8, "i16": torch.int16, "u16": torch.uint16,
           "i32": torch.int32, "u32": torch.uint32, "i64": torch.int64, "u64": torch.uint64, "f16": torch.float16,
           "bf16": torch.bfloat16, "f32": torch.float32, "f64": torch.float64, "c64": torch.complex64,
           "f8_e4m3": torch.float8_e4m3fn, "f8_e5m2": torch.float8_e5m2, "f8_e8m0": torch.float8_e8m0fnu}
    tensors = {name: torch.tensor([0, 1], dtype=torch.float32).to(dtype) for name, dtype in one.items()}
    tensors["empty"] = torch.zeros(0, 3)
    tensors["scalar"] = torch.tensor(2.5, dtype=torch.float64)
    save_file(tensors, FOLDER / "types.safetensors")


if __name__ == "__main__":
    main()
