#!/usr/bin/python3
"""Exports small networks with PyTorch, with what PyTorch itself computes for one batch, into tests/data/onnx.

Run by hand when a case is added (Debian's python3-torch 1.13 suffices); the files are committed, so that the tests
need no PyTorch. Usage: make_torch_models.py OUTPUT_DIR
"""
import json
import os
import sys
import warnings

import torch
from torch import nn

warnings.filterwarnings("ignore")


class MatMulAdd(nn.Module):
    """x @ W + b, the bias added on the left."""

    def __init__(self):
        super().__init__()
        self.w1 = nn.Parameter(torch.randn(6, 5))
        self.b1 = nn.Parameter(torch.randn(5))
        self.w2 = nn.Parameter(torch.randn(5, 3))
        self.b2 = nn.Parameter(torch.randn(1, 3))

    def forward(self, x):
        return self.b2 + torch.relu(x @ self.w1 + self.b1) @ self.w2


class View(nn.Module):
    """x.view(x.size(0), -1), which becomes a small graph over shapes where the batch is dynamic."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(24, 7)
        self.fc2 = nn.Linear(7, 4)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x.view(x.size(0), -1))))


class Reshape(nn.Module):
    """reshape(-1, n), squeeze and unsqueeze."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(24, 7)
        self.fc2 = nn.Linear(7, 4, bias=False)

    def forward(self, x):
        y = torch.relu(self.fc1(x.reshape(-1, 24)).unsqueeze(1))
        return self.fc2(y.squeeze(1))


class Shift(nn.Module):
    """A constant added to the input, two linear layers in a row, a shared activation."""

    def __init__(self):
        super().__init__()
        self.mean = nn.Parameter(torch.randn(1, 2, 3))
        self.fc1 = nn.Linear(6, 5)
        self.fc2 = nn.Linear(5, 4)

    def forward(self, x):
        return self.fc2(self.fc1(torch.flatten(x + self.mean, 1)))



class ArgMax(nn.Module):
    def __init__(self, keepdim):
        super().__init__()
        self.fc = nn.Linear(6, 5)
        self.keepdim = keepdim

    def forward(self, x):
        return torch.argmax(self.fc(x), dim=1, keepdim=self.keepdim)


def mlp(*tail):
    return nn.Sequential(
        nn.Flatten(), nn.Linear(24, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 4), *tail)


def cases():
    volume = (1, 2, 3, 4)
    for opset in (9, 11, 13, 17):
        yield f"mlp_opset{opset}", mlp(), volume, dict(opset_version=opset), None
        yield f"mlp_dynamic_softmax_opset{opset}", mlp(nn.Softmax(dim=1)), volume, dict(
            opset_version=opset, dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}}), None
        yield f"view_dynamic_opset{opset}", View(), volume, dict(
            opset_version=opset, dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}}), None
        yield f"reshape_opset{opset}", Reshape(), volume, dict(opset_version=opset), None
    yield "matmul_add_opset13", MatMulAdd(), (6,), dict(opset_version=13), None
    yield "matmul_add_dynamic_opset17", MatMulAdd(), (6,), dict(
        opset_version=17, dynamic_axes={"input": {0: "n"}, "output": {0: "n"}}), None
    yield "matmul_add_unfolded_opset12", MatMulAdd(), (6,), dict(opset_version=12, do_constant_folding=False), None
    yield "old_inputs_opset9", mlp(), volume, dict(opset_version=9, keep_initializers_as_inputs=True), None
    yield "opset7", nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)), (6,), dict(opset_version=7), None
    yield "shift_opset13", Shift(), (2, 3), dict(opset_version=13), None
    yield "double_opset13", mlp().double(), volume, dict(opset_version=13), None
    yield "argmax_opset11", ArgMax(False), (6,), dict(opset_version=11), None
    yield "argmax_keepdim_opset13", ArgMax(True), (6,), dict(opset_version=13), None
    yield "training_dropout_opset13", mlp(), volume, dict(
        opset_version=13, training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False), "Dropout"
    yield "log_softmax_opset13", mlp(nn.LogSoftmax(dim=1)), volume, dict(opset_version=13), None


def main():
    folder = sys.argv[1]
    expected = []
    for index, (name, model, sample, options, refused) in enumerate(cases()):
        torch.manual_seed(index)
        for p in model.parameters():
            nn.init.normal_(p, std=0.4)
        if "training" not in options:
            model.eval()
        dtype = next(model.parameters()).dtype
        batch = 2 if "dynamic_axes" in options else 1
        x = torch.randn((batch, *sample), dtype=dtype)
        torch.onnx.export(model, (x[:1],), os.path.join(folder, name + ".onnx"), input_names=["input"],
                          output_names=["output"], **options)
        case = {"file": name + ".onnx"}
        if refused:
            case["refused"] = refused
        else:
            model.eval()
            with torch.no_grad():
                y = model(x)
            case |= {"input": x.flatten(1).tolist(), "output": y.reshape(batch, -1).tolist()}
        expected.append(case)
    with open(os.path.join(folder, "expected.json"), "w") as f:
        json.dump(expected, f, indent=0)
        f.write("\n")


main()
