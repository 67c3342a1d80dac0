"""The same model in plain torch.nn: the peer of the benchmarks, on the CPU or on the device named by TORCH_DEVICE (cuda).

Layers, padding and mask are those of the published code's embedding path (nn.TransformerEncoder in eval mode under no_grad, batches padded
to the longest cell, src_key_padding_mask always given). Reads one JSON command a line on stdin, answers one JSON line each:
  {"do": "load", "weights": FILE, "args": FILE}      {"do": "embed", "batch": FILE, "mask": true}      {"do": "gemm", "shape": [M, K, N]}
  {"do": "attention", "shape": [B, H, N, W]}      {"do": "threads", "threads": N}
  {"do": "train", "tokens": V, "args": {...}, "lengths": [...], "head": "gep" | "cls", "dropout": P}    one step of fine-tuning
"repeat" is how often a timed action runs between two looks at the clock, "autocast" whether products are bfloat16.
Needs torch alone: pip install torch==2.13.0
"""
import contextlib
import json
import os
import struct
import sys
import time

import torch
from torch import nn

DEVICE = torch.device(os.environ.get("TORCH_DEVICE", "cpu"))
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
        tensors[name] = flat.reshape(entry["shape"]).clone().to(DEVICE)
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


class Learner(nn.Module):
    """Fine-tuning as published: masked values from tokens and from the cell (GEP, GEPC), or classes, in plain layers."""

    def __init__(self, tokens, args, dropout, head):
        super().__init__()
        width = args["embsize"]
        self.head = head
        self.encoder = GeneEncoder(tokens, width)
        self.value_encoder = ValueEncoder(width)
        self.drop = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(width, args["nheads"], args["d_hid"], dropout, batch_first=True)
        self.transformer_encoder = nn.TransformerEncoder(layer, args["nlayers"], enable_nested_tensor=False)
        leaky = nn.LeakyReLU
        self.decoder = nn.Sequential(
            nn.Linear(width, width), leaky(), nn.Linear(width, width), leaky(), nn.Linear(width, 1)
        )
        self.query = nn.Linear(width, width)
        self.project = nn.Linear(width, width, bias=False)
        block = [nn.Linear(width, width), nn.ReLU(), nn.LayerNorm(width)]
        block += [nn.Linear(width, width), nn.ReLU(), nn.LayerNorm(width)]
        self.cls_decoder = nn.Sequential(*block, nn.Linear(width, 8))

    def loss(self, ids, values, padding, targets, masked, classes):
        genes = self.encoder(ids)
        x = self.transformer_encoder(genes + self.drop(self.value_encoder(values)), src_key_padding_mask=padding)
        if self.head == "cls":
            return nn.functional.cross_entropy(self.cls_decoder(x[:, 0]), classes)
        query = self.project(torch.sigmoid(self.query(genes)))
        from_cell = torch.bmm(query, x[:, 0].unsqueeze(2)).squeeze(2)
        error = (self.decoder(x).squeeze(-1) - targets) ** 2 + (from_cell - targets) ** 2
        return (error * masked).sum() / masked.sum()


class Training:
    """A model, its optimiser and one padded batch; a step is zero_grad, backward, clip, Adam."""

    def __init__(self, command):
        torch.manual_seed(1)
        args, lengths = command["args"], command["lengths"]
        self.model = Learner(command["tokens"], args, command["dropout"], command["head"]).to(DEVICE).train()
        self.autocast = command.get("autocast", False)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-4)
        cells, longest = len(lengths), max(lengths)
        place = torch.arange(longest).expand(cells, longest)
        padding = place >= torch.tensor(lengths).unsqueeze(1)
        ids = torch.randint(0, command["tokens"] - 3, (cells, longest))
        targets = torch.randint(1, 51, (cells, longest)).float()
        masked = (torch.rand(cells, longest) < 0.4) & ~padding
        values = torch.where(masked, torch.tensor(-1.0), targets)
        batch = (ids, values, padding, targets, masked.float(), torch.randint(0, 8, (cells,)))
        self.batch = tuple(tensor.to(DEVICE) for tensor in batch)

    def step(self):
        self.optimizer.zero_grad()
        with half(self.autocast):
            loss = self.model.loss(*self.batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return loss.item()


def half(wanted):
    """Products in bfloat16, or nothing."""
    return torch.autocast(DEVICE.type, torch.bfloat16) if wanted else contextlib.nullcontext()


def finish():
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


def timed(action, repeat=1):
    """Seconds of one run, in the mean of `repeat`, and the last result."""
    finish()
    start = time.perf_counter()
    for _ in range(repeat):
        result = action()
    finish()
    return (time.perf_counter() - start) / repeat, result


def main():
    model, batches, matrices, training = None, {}, {}, (None, None)
    for line in sys.stdin:
        command = json.loads(line)
        repeat = command.get("repeat", 1)
        answer = {}
        if command["do"] == "threads":
            torch.set_num_threads(command["threads"])
            answer = {"torch": torch.__version__, "threads": torch.get_num_threads()}
        elif command["do"] == "load":
            weights = read_safetensors(command["weights"])
            with open(command["args"]) as file:
                args = json.load(file)
            model = Peer(weights["encoder.embedding.weight"].shape[0], args).to(DEVICE).eval()
            used = {name: weights[name] for name in model.state_dict()}
            model.load_state_dict(used)
        elif command["do"] == "embed":
            if command["batch"] not in batches:
                batches[command["batch"]] = read_safetensors(command["batch"])
            batch = batches[command["batch"]]
            padding = batch["src_key_padding_mask"].bool() if command["mask"] else None
            with torch.no_grad(), half(command.get("autocast", False)):
                seconds, cells = timed(lambda: model(batch["src"], batch["values"], padding), repeat)
            answer = {"seconds": seconds}
            if command.get("numbers"):
                answer["cells"] = cells.float().flatten().tolist()
        elif command["do"] == "gemm":
            m, k, n = command["shape"]
            if (m, k, n) not in matrices:
                matrices[m, k, n] = torch.randn(m, k, device=DEVICE), torch.randn(k, n, device=DEVICE)
            a, b = matrices[m, k, n]
            seconds, _ = timed(lambda: a @ b, repeat)
            answer = {"seconds": seconds}
        elif command["do"] == "attention":
            q, k, v = (torch.randn(command["shape"], device=DEVICE) for _ in range(3))
            seconds, _ = timed(lambda: nn.functional.scaled_dot_product_attention(q, k, v), repeat)
            answer = {"seconds": seconds}
        elif command["do"] == "train":
            key = json.dumps({**command, "repeat": 0}, sort_keys=True)
            if training[0] != key:
                training = (None, None)
                training = (key, Training(command))
            seconds, loss = timed(training[1].step, repeat)
            answer = {"seconds": seconds, "loss": loss}
        elif command["do"] == "forget_batches":
            batches.clear()
        elif command["do"] == "forget":
            model, training = None, (None, None)
            matrices.clear()
            batches.clear()
            if DEVICE.type == "cuda":
                torch.cuda.empty_cache()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
