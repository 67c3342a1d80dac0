"""The same model in plain torch.nn, on the CPU: the peer of the benchmarks.

Layers, padding and mask are those of the published code's embedding path (nn.TransformerEncoder in eval mode under no_grad, batches padded
to the longest cell, src_key_padding_mask always given). Reads one JSON command a line on stdin, answers one JSON line each:
  {"do": "load", "weights": FILE, "args": FILE}      {"do": "embed", "batch": FILE, "mask": true}      {"do": "gemm", "shape": [M, K, N]}
  {"do": "threads", "threads": N}
Needs torch alone: pip install torch==2.13.0
"""
import json
import struct
import sys
import time

import torch
from torch import nn

DTYPES = {"F32": torch.float32, "I64": torch.int64, "U8": torch.uint8}


def read_safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        dtype = DTYPES[entry["dtype"]]
        flat = torch.frombuffer(data, dtype=dtype, count=(end - start) // dtype.itemsize, offset=start)
        tensors[name] = flat.reshape(entry["shape"]).clone()
    return tensors


class GeneEncoder(nn.Module):
    def __init__(self, tokens, width):
        super().__init__()
        self.embedding = nn.Embedding(tokens, width)
        self.enc_norm = nn.LayerNorm(width)

    def forward(self, ids):
        return self.enc_norm(self.embedding(ids))


class ValueEncoder(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.linear1 = nn.Linear(1, width)
        self.linear2 = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, values):
        hidden = torch.relu(self.linear1(values.clamp(max=512).unsqueeze(-1)))
        return self.norm(self.linear2(hidden))


class Peer(nn.Module):
    def __init__(self, tokens, args):
        super().__init__()
        width = args["embsize"]
        self.encoder = GeneEncoder(tokens, width)
        self.value_encoder = ValueEncoder(width)
        layer = nn.TransformerEncoderLayer(width, args["nheads"], args["d_hid"], args["dropout"], batch_first=True)
        self.transformer_encoder = nn.TransformerEncoder(layer, args["nlayers"])

    def forward(self, ids, values, padding):
        x = self.encoder(ids) + self.value_encoder(values)
        return self.transformer_encoder(x, src_key_padding_mask=padding)[:, 0]


def timed(action):
    start = time.perf_counter()
    result = action()
    return time.perf_counter() - start, result


def main():
    model, batches, matrices = None, {}, {}
    for line in sys.stdin:
        command = json.loads(line)
        answer = {}
        if command["do"] == "threads":
            torch.set_num_threads(command["threads"])
            answer = {"torch": torch.__version__, "threads": torch.get_num_threads()}
        elif command["do"] == "load":
            weights = read_safetensors(command["weights"])
            with open(command["args"]) as file:
                args = json.load(file)
            model = Peer(weights["encoder.embedding.weight"].shape[0], args).eval()
            used = {name: weights[name] for name in model.state_dict()}
            model.load_state_dict(used)
        elif command["do"] == "embed":
            if command["batch"] not in batches:
                batches[command["batch"]] = read_safetensors(command["batch"])
            batch = batches[command["batch"]]
            padding = batch["src_key_padding_mask"].bool() if command["mask"] else None
            with torch.no_grad():
                seconds, cells = timed(lambda: model(batch["src"], batch["values"], padding))
            answer = {"seconds": seconds}
            if command.get("numbers"):
                answer["cells"] = cells.flatten().tolist()
        elif command["do"] == "gemm":
            m, k, n = command["shape"]
            if (m, k, n) not in matrices:
                matrices[m, k, n] = torch.randn(m, k), torch.randn(k, n)
            a, b = matrices[m, k, n]
            seconds, _ = timed(lambda: a @ b)
            answer = {"seconds": seconds}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
