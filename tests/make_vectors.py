#!/usr/bin/env python3
"""Writes tests/golden/ops/OP.json: what PyTorch computes in float64 for every op of dlcore, several shapes each.

Usage: python3 tests/make_vectors.py [SECTION...]     (needs torch; the files are committed, so nobody else does)
A section is a function of this file; its numbers depend on its name and content alone.

A file is a list of cases:
  name        what the case is about
  attr        attributes as in a model file, each a list of words
  inputs      in the op's order; outputs likewise
  grad_output r of the loss sum(r * outputs[0]); absent where the op has no gradient
  grad_inputs gradient of that loss with respect to each input; null where there is none
Tensors are {dtype, shape, data}; inputs are multiples of 1/64, so that they are exact in f32 too."""
import json
import pathlib
import sys
import zlib

import torch
import torch.nn.functional as F

OUT = pathlib.Path(__file__).resolve().parent / "golden" / "ops"
cases = {}


def draw(*shape):
    return torch.randint(-128, 129, shape).double() / 64


def distinct(*shape):
    n = torch.Size(shape).numel()
    return ((torch.randperm(n) - n // 2).double() + 0.5).reshape(shape) / 32


def tensor(t, dtype="f32"):
    data = t.flatten().tolist()
    return {"dtype": dtype, "shape": list(t.shape), "data": data if dtype in ("f32", "f64") else [int(v) for v in data]}


def words(attr):
    as_list = {k: v if isinstance(v, (list, tuple)) else [v] for k, v in attr.items()}
    return {k: [str(w).lower() if isinstance(w, bool) else str(w) for w in v] for k, v in as_list.items()}


def add_case(op, name, inputs, outputs, attr={}, grad_output=None, grad_inputs=None):
    case = {"name": name, "attr": words(attr), "inputs": inputs, "outputs": outputs}
    if grad_output is not None:
        case["grad_output"], case["grad_inputs"] = grad_output, grad_inputs
    cases.setdefault(op, []).append(case)


def add_differentiable(op, name, inputs, forward, attr={}, extra_in=(), extra_out=()):
    """forward(*inputs) gives output 0; extra_in and extra_out are tensors that no gradient reaches."""
    leaves = [t.clone().requires_grad_() for t in inputs]
    y = forward(*leaves)
    r = draw(*y.shape)
    (y * r).sum().backward()
    add_case(op, name, [tensor(t) for t in inputs] + list(extra_in), [tensor(y.detach())] + list(extra_out), attr,
             tensor(r), [None if t.grad is None else tensor(t.grad) for t in leaves] + [None] * len(extra_in))


def pair(v):
    return (v, v) if isinstance(v, int) else tuple(v)


def sides(padding):
    """top, left, bottom, right -> F.pad's left, right, top, bottom."""
    top, left, bottom, right = padding
    return left, right, top, bottom


def conv2d():
    def add(name, x, out, kernel, stride=1, padding=0, bias=True, dilation=1, groups=1):
        kernel, n_in = pair(kernel), x[1] // groups
        inputs = [draw(*x), draw(out, n_in, *kernel)] + ([draw(out)] if bias else [])
        attr = {"out_channels": out, "kernel_size": list(kernel), "stride": stride, "padding": padding, "bias": bias,
                "dilation": dilation, "groups": groups}

        def forward(image, weight, b=None):
            if isinstance(padding, list) and len(padding) == 4:
                return F.conv2d(F.pad(image, sides(padding)), weight, b, stride, 0, dilation, groups)
            return F.conv2d(image, weight, b, stride, padding, dilation, groups)

        add_differentiable("conv2d", name, inputs, forward, attr)

    add("plain", (2, 3, 5, 6), 4, 3)
    add("no bias", (1, 2, 4, 4), 3, 2, bias=False)
    add("1x1 kernel", (2, 6, 3, 2), 3, 1)
    add("one pixel, padded", (1, 3, 1, 1), 2, 3, padding=1)
    add("stride 2, padding 1", (1, 3, 7, 6), 2, 3, stride=2, padding=1)
    add("stride beyond kernel", (1, 2, 8, 9), 2, 2, stride=[3, 4])
    add("padding per direction", (1, 2, 4, 5), 2, [3, 5], padding=[1, 2])
    add("asymmetric padding", (2, 2, 4, 3), 3, 3, padding=[0, 1, 2, 3])
    add("asymmetric padding, strides", (1, 2, 6, 5), 2, [2, 3], stride=[2, 1], padding=[1, 0, 0, 2])
    add("same, odd kernel", (1, 2, 5, 4), 2, 3, padding="same")
    add("same, even kernel", (1, 2, 4, 5), 2, [2, 4], padding="same")
    add("16 to 17 channels", (1, 16, 2, 2), 17, 1, bias=False)
    add("dilation", (2, 2, 6, 7), 3, 3, dilation=2)
    add("dilation per direction, strides, padding", (1, 2, 8, 7), 3, [3, 2], stride=[2, 1], padding=1, dilation=[2, 3])
    add("same, dilation", (1, 2, 5, 6), 2, [3, 2], padding="same", dilation=[2, 3])
    add("groups", (2, 4, 5, 4), 6, 3, padding=1, groups=2)
    add("depthwise", (2, 5, 4, 5), 5, 3, padding=1, groups=5, bias=False)
    add("depthwise, two filters a channel, stride", (1, 3, 5, 6), 6, 3, stride=2, padding=1, groups=3)
    add("groups and dilation", (1, 6, 7, 6), 3, [2, 3], padding=[1, 2], dilation=[3, 2], groups=3)


def linear():
    for name, x, o, bias in (("plain", (3, 5), 4, True), ("no bias", (2, 6), 3, False), ("one", (1, 1), 1, True),
                             ("16 to 17", (2, 16), 17, True), ("three dimensions", (2, 3, 4), 5, True),
                             ("four dimensions, no bias", (2, 1, 3, 2), 2, False)):
        inputs = [draw(*x), draw(o, x[-1])] + ([draw(o)] if bias else [])
        add_differentiable("linear", name, inputs, F.linear, {"out_features": o, "bias": bias})


def batch_norms():
    for name, shape, affine, eps, momentum in (("plain", (3, 2, 2, 3), True, 1e-5, 0.1),
                                               ("not affine", (2, 3, 1, 2), False, 1e-5, 0.1),
                                               ("large eps", (2, 2, 3, 3), True, 0.5, 0.25),
                                               ("one image", (1, 4, 5, 4), True, 1e-5, 1.0),
                                               ("one pixel", (5, 3, 1, 1), True, 1e-3, 0.0)):
        channels, attr = shape[1], {"eps": eps, "momentum": momentum, "affine": affine}
        x, wb = draw(*shape), [draw(channels), draw(channels)] if affine else []
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
        add_differentiable("batch_norm2d", name, [x] + wb,
                           lambda x, w=None, b=None: F.batch_norm(x, None, None, w, b, True, momentum, eps), attr,
                           extra_out=[tensor(mean), tensor(var)])
        running = [draw(channels), draw(channels).abs() + 0.125]
        add_differentiable("batch_norm2d_eval", name, [x, *running, *wb],
                           lambda x, mean, var, w=None, b=None: F.batch_norm(x, mean.detach(), var.detach(), w, b, False,
                                                                             momentum, eps), attr)
        layer = torch.nn.BatchNorm2d(channels, eps, momentum)
        layer.running_mean.copy_(running[0])
        layer.running_var.copy_(running[1])
        layer.num_batches_tracked.fill_(7)
        layer(x)
        inputs = [tensor(t) for t in running] + [tensor(torch.tensor(7), "i64"), tensor(mean), tensor(var)]
        outputs = [tensor(layer.running_mean), tensor(layer.running_var), tensor(layer.num_batches_tracked, "i64")]
        add_case("batch_norm2d_update", name, inputs, outputs, {"momentum": momentum, "count": x.numel() // channels})


def layer_norm():
    for name, shape, dims, affine, eps in (("rows", (3, 5), 1, True, 1e-5), ("not affine", (2, 3, 4), 1, False, 1e-5),
                                           ("two dimensions", (2, 3, 4), 2, True, 1e-5), ("all", (2, 3), 2, True, 1e-5),
                                           ("large eps", (4, 17), 1, True, 0.5), ("one row", (1, 3), 1, True, 1e-5)):
        row = shape[len(shape) - dims:]
        x, wb = draw(*shape), [draw(*row), draw(*row)] if affine else []
        flat = x.reshape(-1, torch.Size(row).numel())
        extra = [flat.mean(1), (flat.var(1, unbiased=False) + eps).rsqrt()]
        add_differentiable("layer_norm", name, [x] + wb, lambda x, w=None, b=None: F.layer_norm(x, row, w, b, eps),
                           {"dims": dims, "eps": eps, "affine": affine}, extra_out=[tensor(t) for t in extra])


def elementwise():
    for shape in ((2, 3), (1, 6, 1, 1), (2, 3, 2, 4)):
        name = "x".join(map(str, shape))
        column = (1, shape[1]) + (1,) * (len(shape) - 2)
        add_differentiable("bias", name, [draw(*shape), draw(shape[1])], lambda x, b: x + b.reshape(column))
        add_differentiable("relu", name, [distinct(*shape)], F.relu)
        add_differentiable("add", name, [draw(*shape), draw(*shape)], torch.add)
        add_differentiable("flatten", name, [draw(*shape)], lambda x: torch.flatten(x, 1))
        add_differentiable("reshape", name, [draw(*shape)], lambda x: x.reshape(tuple(reversed(x.shape))))
        add_case("fill", name, [], [tensor(torch.full(shape, 0.375))], {"value": 0.375})


def max_pool2d():
    def add(name, x, kernel, stride=0, padding=0, ceil_mode=False):
        k, p = pair(kernel), [padding] * 4 if isinstance(padding, int) else padding
        p = p * 2 if len(p) == 2 else p
        s = pair(stride) if stride else k
        image = distinct(*x)
        own = p[:2] if ceil_mode else (0, 0)  # PyTorch's own padding is the same on both sides

        def forward(t, indices=False):
            t = t if ceil_mode else F.pad(t, sides(p), value=float("-inf"))
            return F.max_pool2d(t, k, s, own, ceil_mode=ceil_mode, return_indices=indices)

        _, at = forward(image, True)
        width = x[3] if ceil_mode else x[3] + p[1] + p[3]
        rows = at // width - (torch.arange(at.shape[2]) * s[0] - own[0]).reshape(-1, 1)
        cols = at % width - (torch.arange(at.shape[3]) * s[1] - own[1])
        add_differentiable("max_pool2d", name, [image], forward,
                           {"kernel_size": list(k), "stride": stride, "padding": padding, "ceil_mode": ceil_mode},
                           extra_out=[tensor(rows * k[1] + cols, "u8")])

    add("default stride", (2, 3, 4, 6), 2)
    add("1x1", (1, 2, 3, 3), 1)
    add("overlapping", (1, 2, 5, 5), 3, 1)
    add("stride beyond kernel", (1, 2, 7, 8), 2, [3, 4])
    add("padded", (1, 3, 5, 4), 3, 2, 1)
    add("padding per direction", (1, 1, 4, 5), [2, 4], 2, [1, 2])
    add("asymmetric padding", (1, 2, 4, 4), 3, 2, [0, 1, 1, 0])
    add("one pixel", (2, 3, 1, 1), 2, 1, 1)
    add("ceil_mode, a column more", (1, 2, 6, 5), 2, 2, 0, True)
    add("ceil_mode, padded", (2, 2, 6, 7), 3, 2, 1, True)
    add("ceil_mode, no window begins in the last padding", (1, 2, 3, 5), 2, 2, 1, True)
    add("ceil_mode, stride beyond kernel", (1, 2, 7, 8), 2, [3, 4], 0, True)
    add("ceil_mode, kernel beyond image", (1, 2, 2, 3), 4, 3, [1, 2], True)


def avg_pool2d():
    def add(name, x, kernel, stride=0, padding=0, ceil_mode=False, include=True):
        k, p = pair(kernel), [padding] * 4 if isinstance(padding, int) else padding
        asymmetric = len(p) == 4 and p[:2] != p[2:]  # PyTorch's own padding is the same on both sides

        def forward(t):
            t = F.pad(t, sides(p)) if asymmetric else t
            return F.avg_pool2d(t, k, stride or None, 0 if asymmetric else p[:2], ceil_mode, include)

        add_differentiable("avg_pool2d", name, [draw(*x)], forward,
                           {"kernel_size": list(k), "stride": stride, "padding": padding, "ceil_mode": ceil_mode,
                            "count_include_pad": include})

    add("default stride", (2, 3, 4, 6), 2)
    add("1x1", (1, 2, 3, 3), 1)
    add("all of it", (2, 3, 7, 7), 7)
    add("overlapping", (1, 2, 5, 5), 3, 1)
    add("stride beyond kernel", (1, 2, 7, 8), 2, [3, 4])
    add("asymmetric padding", (1, 2, 4, 4), 3, 2, [0, 1, 1, 0])
    for include in (False, True):
        what = "" if include else ", padding not counted"
        add("padded" + what, (1, 3, 5, 4), 3, 2, 1, False, include)
        add("padding per direction" + what, (1, 1, 4, 5), [2, 4], 2, [1, 2], False, include)
        add("one pixel" + what, (2, 3, 1, 1), 2, 1, 1, False, include)
        add("ceil_mode, a column more" + what, (1, 2, 6, 5), 2, 2, 0, True, include)
        add("ceil_mode, padded" + what, (2, 2, 6, 7), 3, 2, 1, True, include)
        add("ceil_mode, no window begins in the last padding" + what, (1, 2, 3, 5), 2, 2, 1, True, include)
        add("ceil_mode, windows end behind the padding" + what, (1, 2, 6, 8), 4, 3, [1, 2], True, include)
        add("ceil_mode, kernel beyond image" + what, (1, 2, 2, 3), 4, 3, [1, 2], True, include)


def adaptive_avg_pool2d():
    for name, shape, size in (("global", (2, 3, 7, 7), 1), ("one pixel", (2, 3, 1, 1), 1), ("halves", (1, 2, 6, 8), (3, 4)),
                              ("uneven", (2, 2, 10, 7), (7, 3)), ("more than there are", (1, 2, 3, 4), (5, 7)),
                              ("rows alone", (1, 2, 5, 6), (5, 1)), ("columns alone", (1, 2, 5, 6), (1, 6))):
        add_differentiable("adaptive_avg_pool2d", name, [draw(*shape)], lambda x: F.adaptive_avg_pool2d(x, size),
                           {"output_size": pair(size)})


def pads():
    for name, shape, padding in (("all sides", (2, 2, 3, 4), 2), ("per direction", (1, 3, 4, 3), [1, 2]),
                                 ("each side", (1, 2, 4, 5), [0, 1, 3, 2]), ("none", (1, 2, 2, 2), 0)):
        p = [padding] * 4 if isinstance(padding, int) else padding * (4 // len(padding))
        for mode in ("zero", "reflect"):
            add_differentiable("pad2d", f"{name}, {mode}", [draw(*shape)],
                               lambda x: F.pad(x, sides(p), "constant" if mode == "zero" else mode),
                               {"padding": padding, "mode": mode})
    for name, shape, scale in (("doubled", (2, 3, 4, 5), 2), ("per direction", (1, 2, 3, 2), [3, 1]),
                               ("once", (1, 2, 3, 3), 1), ("one pixel", (2, 1, 1, 1), [4, 5])):
        add_differentiable("upsample_nearest2d", name, [draw(*shape)],
                           lambda x: F.interpolate(x, scale_factor=pair(scale), mode="nearest"),
                           {"scale_factor": scale})


def rows():
    for n, k in ((1, 1), (1, 10), (3, 2), (4, 10), (2, 17)):
        name = f"{n}x{k}"
        add_differentiable("softmax", name, [draw(n, k)], lambda x: F.softmax(x, 1))
        add_differentiable("log_softmax", name, [draw(n, k)], lambda x: F.log_softmax(x, 1))
        logits, labels = draw(n, k), torch.randint(0, k, (n,))
        labels[::2] = logits.argmax(1)[::2]
        hits = (logits.argmax(1) == labels).sum().reshape(1).double()
        add_case("correct", name, [tensor(logits), tensor(labels, "i32")], [tensor(hits)])
        if k >= 5:
            hits = (logits.topk(5).indices == labels[:, None]).sum().reshape(1).double()
            add_case("correct", f"{name} top-5", [tensor(logits), tensor(labels, "i32")], [tensor(hits)], {"k": 5})
    large = torch.tensor([[900.0, -900.0, 899.0], [-800.0, -800.5, -801.0]])
    for op, f in (("softmax", F.softmax), ("log_softmax", F.log_softmax)):
        add_differentiable(op, "large numbers", [large], lambda x: f(x, 1))
    for shape in ((5,), (2, 3, 4), (2, 1, 3, 2)):
        for op, f in (("softmax", F.softmax), ("log_softmax", F.log_softmax)):
            add_differentiable(op, "x".join(map(str, shape)), [draw(*shape)], lambda x: f(x, -1))


def activations():
    kinks = torch.tensor([[0.0, 3.0, -3.0], [6.0, -0.5, 7.0]])
    slope, alpha = {"negative_slope": 0.125}, {"alpha": 0.75}
    curves = (("leaky_relu", F.leaky_relu, {}), ("leaky_relu", lambda x: F.leaky_relu(x, 0.125), slope),
              ("elu", F.elu, {}), ("elu", lambda x: F.elu(x, 0.75), alpha), ("gelu", F.gelu, {}),
              ("gelu", lambda x: F.gelu(x, approximate="tanh"), {"approximate": "tanh"}), ("silu", F.silu, {}),
              ("tanh", torch.tanh, {}), ("sigmoid", torch.sigmoid, {}), ("relu6", F.relu6, {}),
              ("hardswish", F.hardswish, {}))
    for op, f, attr in curves:
        for shape in ((5,), (2, 3, 2, 4)):
            add_differentiable(op, "x".join(map(str, shape)), [draw(*shape) * 4], f, attr)
        add_differentiable(op, "kinks", [kinks], f, attr)


def philox(seed, purpose, step, sample, n):
    """The first n words: Philox4x32-10 (Salmon et al. 2011) of the counters (draw, sample, step, purpose)."""
    words = []
    for block in range((n + 3) // 4):
        c, key = [block, sample, step, purpose], [seed & 0xFFFFFFFF, seed >> 32]
        for _ in range(10):
            a, b = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
            c = [(b >> 32) ^ c[1] ^ key[0], b & 0xFFFFFFFF, (a >> 32) ^ c[3] ^ key[1], a & 0xFFFFFFFF]
            key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
        words += c
    return words[:n]


def dropouts():
    def add(op, shape, p, seed, step):
        each = shape[1] if op == "dropout2d" else torch.Size(shape[1:]).numel()
        kept = [[w >= p * 2**32 for w in philox(seed, 0x8000, step, n, each)] for n in range(shape[0])]
        mask = torch.tensor(kept).reshape(shape[:2] if op == "dropout2d" else shape)
        factor = mask.double() / (1 - p) if p < 1 else mask.double()
        factor = factor.reshape(tuple(mask.shape) + (1,) * (len(shape) - mask.dim()))
        key = tensor(torch.tensor([seed & 0xFFFFFFFF, seed >> 32, step]), "i64")
        add_differentiable(op, f"{'x'.join(map(str, shape))}, p {p}", [draw(*shape)], lambda x: x * factor, {"p": p},
                           extra_in=[key], extra_out=[tensor(mask, "u8")])

    for p in (0, 0.25, 0.5, 1):
        add("dropout", (3, 7), p, 1, 1)
        add("dropout", (2, 3, 2, 5), p, 0x123456789ABCDEF0, 70000)
        add("dropout2d", (3, 10, 2, 1), p, 0xFEDCBA9876543210, 2)


def joins():
    for shape in ((4,), (2, 3), (2, 3, 2, 4)):
        add_differentiable("multiply", "x".join(map(str, shape)), [draw(*shape), draw(*shape)], torch.mul)
    for name, shapes, dim in (("channels", ((2, 3, 2, 2), (2, 1, 2, 2)), 1), ("first", ((1, 3), (4, 3), (2, 3)), 0),
                              ("last", ((2, 2, 3), (2, 2, 1), (2, 2, 2)), -1), ("rank 1", ((3,), (2,)), 0)):
        add_differentiable("concat", name, [draw(*s) for s in shapes], lambda *x: torch.cat(x, dim), {"dim": dim})
    for name, shape, dim, begin, end in (("first channels", (2, 5, 2, 2), 1, 0, 2), ("samples", (5, 3), 0, 1, 4),
                                         ("from the end", (2, 3, 6), -1, -4, -1), ("to the end", (2, 6), 1, 2, 0),
                                         ("all", (3, 2), 1, 0, 2)):
        at = (slice(None),) * (dim % len(shape)) + (slice(begin, end or None),)
        add_differentiable("slice", name, [draw(*shape)], lambda x: x[at], {"dim": dim, "begin": begin, "end": end})
    for name, shape, size in (("planes", (2, 12), (3, 2, 2)), ("the rest", (3, 4, 5), (-1, 2)), ("none", (2, 6), (6,))):
        add_differentiable("unflatten", name, [draw(*shape)], lambda x: x.flatten(1).unflatten(1, size),
                           {"unflattened_size": size})
    add_differentiable("transpose", "3x4x5", [draw(3, 4, 5)], lambda x: x.transpose(1, 2))
    add_differentiable("tokens", "2x3x4x2", [draw(2, 3, 4, 2)], lambda x: x.flatten(2).transpose(1, 2))


def attentions():
    for n, t, heads, width in ((1, 1, 1, 1), (2, 5, 3, 4), (1, 7, 2, 1), (3, 4, 1, 6)):
        name, features = f"{n}x{t}x{heads}x{width}", heads * width
        q, k, v = (draw(n, t, features) for _ in range(3))

        def heads_of(x):
            return x.reshape(n, t, heads, width).transpose(1, 2)

        def attend(q, k, v):
            y = F.scaled_dot_product_attention(heads_of(q), heads_of(k), heads_of(v))
            return y.transpose(1, 2).reshape(n, t, features)

        prob = F.softmax(heads_of(q) @ heads_of(k).transpose(2, 3) / width**0.5, 3)
        add_differentiable("attention", name, [q, k, v], attend, {"num_heads": heads}, extra_out=[tensor(prob)])

        module = torch.nn.MultiheadAttention(features, heads, batch_first=True)
        names = ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"]
        assert [p for p, _ in module.named_parameters()] == names
        weights = [draw(*p.shape) for p in module.parameters()]
        add_differentiable("multi_head_attention", name, [q] + weights,
                           lambda x, *w: torch.func.functional_call(module, dict(zip(names, w)), (x, x, x),
                                                                    {"need_weights": False})[0], {"num_heads": heads})
        add_differentiable("class_token", name, [q, draw(1, 1, features)],
                           lambda x, token: torch.cat([token.expand(n, -1, -1), x], 1))
        add_differentiable("position_embedding", name, [q, draw(1, t, features)], torch.add)


def normalize():
    for shape in ((2, 1, 2, 3), (1, 3, 2, 2)):
        x = torch.randint(0, 256, shape)
        mean, std = draw(shape[1]).abs() / 4, draw(shape[1]).abs() / 4 + 0.125
        y = (x.double() / 255 - mean.reshape(-1, 1, 1)) / std.reshape(-1, 1, 1)
        add_case("normalize", "x".join(map(str, shape)), [tensor(x, "u8"), tensor(mean), tensor(std)], [tensor(y)])


def cast():
    x = draw(2, 3)
    add_case("cast", "wider", [tensor(x)], [tensor(x.double(), "f64")])
    add_case("cast", "narrower", [tensor(x, "f64")], [tensor(x.float())])


def optimizer(op, name, make, attr, states, lr, start=None, steps=4):
    """One case a step, each from PyTorch's own state before it."""
    parameter = torch.nn.Parameter(draw(2, 3) if start is None else start)
    optimizer = make([parameter], lr)

    def state():
        kept = optimizer.state.get(parameter, {})
        return [tensor((kept[s] if kept.get(s) is not None else torch.zeros(2, 3)).clone()) for s in states]

    for step in range(1, steps + 1):
        parameter.grad = draw(2, 3)
        inputs = [tensor(parameter.detach().clone())] + state() + [tensor(parameter.grad)]
        inputs += [tensor(torch.tensor([lr])), tensor(torch.tensor([step]), "i64")]
        optimizer.step()
        add_case(op, f"{name}, step {step}", inputs, [tensor(parameter.detach().clone())] + state(), attr)


def losses():
    def add(op, name, n, k, forward, attr={}, weights=None, x=None, log_prob=False):
        """forward(x, labels, weights); class weights are an input where they are given."""
        x = draw(n, k) if x is None else x
        labels = torch.randint(0, k, (n,))
        labels[-1] = k - 1  # whose weight is not 0
        extra = [tensor(labels, "i32")] + ([tensor(weights)] if weights is not None else [])
        add_differentiable(op, name, [x], lambda t: forward(t, labels, weights).reshape(1), attr, extra,
                           [tensor(F.log_softmax(x, 1))] if log_prob else [])

    def onehot(f):
        return lambda x, labels, weights: f(x, F.one_hot(labels, x.shape[1]).double())

    for n, k in ((1, 1), (1, 10), (3, 2), (4, 10), (2, 17)):
        name, weights = f"{n}x{k}", torch.randint(1, 129, (k,)).double() / 64
        weights[0] = weights[0] if k == 1 else 0
        for smoothing in (0, 0.125):
            def cross_entropy(x, labels, w):
                return F.cross_entropy(x, labels, w, label_smoothing=smoothing)

            what, attr = (", smoothed", {"label_smoothing": smoothing}) if smoothing else ("", {})
            add("cross_entropy", name + what, n, k, cross_entropy, attr, log_prob=True)
            add("cross_entropy", name + what + ", weighted", n, k, cross_entropy, attr, weights, log_prob=True)
        add("nll_loss", name, n, k, F.nll_loss)
        add("nll_loss", name + ", weighted", n, k, F.nll_loss, weights=weights)
        add("mse_loss", name, n, k, onehot(F.mse_loss))
        add("bce_with_logits", name, n, k, onehot(F.binary_cross_entropy_with_logits))
    large = torch.tensor([[900.0, -900.0, 899.0], [-800.0, -800.5, -801.0]])
    add("cross_entropy", "large numbers", 2, 3, lambda x, labels, w: F.cross_entropy(x, labels), x=large, log_prob=True)
    add("bce_with_logits", "large numbers", 2, 3, onehot(F.binary_cross_entropy_with_logits), x=large)
    for weight in (0.0, 0.375, 1.0):
        w = torch.tensor([weight])
        add_differentiable("lerp", str(weight), [draw(1), draw(1)], lambda a, b: torch.lerp(b, a, w),
                           extra_in=[tensor(w)])


def mixing():
    for name, shape, share, box in (("mixup", (3, 1, 2, 3), 0.375, (0, 0, 0, 0)), ("one", (1, 2, 2, 2), 0.25, (0,) * 4),
                                    ("cutmix", (3, 2, 4, 5), 1.0, (1, 2, 3, 5)), ("both", (2, 1, 3, 3), 0.5, (0, 0, 2, 1))):
        x = draw(*shape)
        other, (top, left, bottom, right) = x.roll(1, 0), box
        y = share * x + (1 - share) * other
        y[:, :, top:bottom, left:right] = other[:, :, top:bottom, left:right]
        add_case("mix", name, [tensor(x), tensor(torch.tensor([share])), tensor(torch.tensor(box), "i64")], [tensor(y)])
    for n in (1, 5):
        labels = torch.randint(0, 10, (n,))
        add_case("roll", str(n), [tensor(labels, "i32")], [tensor(labels.roll(1), "i32")])


class Lars(torch.optim.Optimizer):
    """You, Gitman and Ginsburg 2017; PyTorch has none."""

    def __init__(self, params, lr, momentum=0.9, weight_decay=0, trust_coefficient=0.001, eps=1e-8):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay,
                                      trust_coefficient=trust_coefficient, eps=eps))

    @torch.no_grad()
    def step(self):
        for o in self.param_groups:
            for p in o["params"]:
                norm, grad_norm = p.norm(), p.grad.norm()
                ratio = o["trust_coefficient"] * norm / (grad_norm + o["weight_decay"] * norm + o["eps"])
                ratio = torch.where((norm == 0) | (grad_norm == 0), 1, ratio)
                v = ratio * (p.grad + o["weight_decay"] * p)
                if o["momentum"] != 0:
                    v = self.state[p].get("momentum_buffer", torch.zeros_like(p)) * o["momentum"] + v
                    self.state[p]["momentum_buffer"] = v
                p -= o["lr"] * v


def optimizers():
    def add(op, make, name, attr, states, lr, start=None, **own):
        """`attr` are the arguments of the optimizer too, but for those in `own`."""
        args = own or attr
        optimizer(op, name, lambda p, rate: make(p, rate, **args), attr, states, lr, start)

    buffer, moments = ["momentum_buffer"], ["exp_avg", "exp_avg_sq"]
    sgd = torch.optim.SGD
    add("sgd", sgd, "plain", {}, [], 0.125)
    add("sgd", sgd, "weight decay", {"weight_decay": 0.01}, [], 0.125)
    add("sgd", sgd, "momentum", {"momentum": 0.9}, buffer, 0.0625)
    add("sgd", sgd, "momentum and weight decay", {"momentum": 0.75, "weight_decay": 0.02}, buffer, 0.125)
    add("sgd", sgd, "nesterov", {"momentum": 0.75, "weight_decay": 0.02, "nesterov": True}, buffer, 0.125)
    for op, make in (("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)):
        add(op, make, "defaults", {}, moments, 0.0625)
        add(op, make, "all given", {"beta1": 0.8, "beta2": 0.95, "eps": 1e-3, "weight_decay": 0.1}, moments, 0.125,
            betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1)
    rmsprop = torch.optim.RMSprop
    add("rmsprop", rmsprop, "defaults", {}, ["square_avg"], 0.0625)
    add("rmsprop", rmsprop, "momentum", {"momentum": 0.9}, ["square_avg"] + buffer, 0.0625)
    add("rmsprop", rmsprop, "centered", {"centered": True}, ["square_avg", "grad_avg"], 0.0625)
    add("rmsprop", rmsprop, "all given",
        {"alpha": 0.75, "eps": 1e-3, "weight_decay": 0.1, "momentum": 0.5, "centered": True},
        ["square_avg", "grad_avg"] + buffer, 0.125)
    adagrad = torch.optim.Adagrad
    add("adagrad", adagrad, "defaults", {}, ["sum"], 0.125)
    add("adagrad", adagrad, "all given", {"lr_decay": 0.25, "weight_decay": 0.1, "eps": 1e-3}, ["sum"], 0.125)
    add("lars", Lars, "defaults", {}, buffer, 0.5)
    add("lars", Lars, "all given", {"momentum": 0.5, "weight_decay": 0.1, "trust_coefficient": 0.25, "eps": 0.01},
        buffer, 0.5)
    add("lars", Lars, "no momentum", {"momentum": 0, "weight_decay": 0.1}, [], 0.5)
    add("lars", Lars, "parameter of zeros", {"weight_decay": 0.1}, buffer, 0.5, start=torch.zeros(2, 3))


def updates():
    one = torch.ones(1)
    for shape in ((3,), (2, 3), (2, 3, 2, 2)):
        name, x, y = "x".join(map(str, shape)), draw(*shape), draw(*shape)
        add_case("square_sum", name, [tensor(x)], [tensor((x * x).sum().reshape(1))])
        add_case("scale", name, [tensor(x), tensor(one * 0.375)], [tensor(x * 0.375)])
        add_case("accumulate", name, [tensor(x), tensor(y), tensor(one * 0.25)], [tensor(x + 0.25 * y)])
        average = torch.optim.swa_utils.get_ema_multi_avg_fn(0.875)
        kept = x.clone()
        average([kept], [y], 1)
        add_case("ema", name, [tensor(x), tensor(y), tensor(one * 0.875)], [tensor(kept)])
    for name, gradient in (("above", [3.0, 4.0]), ("below", [0.375, 0.5]), ("at", [0.75, 1.0]), ("zero", [0.0, 0.0])):
        parameter = torch.zeros(2, requires_grad=True)
        parameter.grad = torch.ones(2)
        square = (torch.tensor(gradient) ** 2).sum().reshape(1)
        norm = square.sqrt()
        torch.nn.utils.clip_grads_with_norm_([parameter], 1.25, norm[0])
        add_case("clip_factor", name, [tensor(square)], [tensor(parameter.grad[:1]), tensor(norm)], {"max_norm": 1.25})
    for l1 in (0.25, 0.0):
        parameter, gradient = draw(2, 3), draw(2, 3)
        parameter[0, 1] = 0
        parameter.requires_grad_()
        ((parameter * gradient).sum() + l1 * parameter.abs().sum()).backward()
        add_case("l1_gradient", f"{l1}", [tensor(parameter.detach()), tensor(gradient)], [tensor(parameter.grad)],
                 {"l1": l1})


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    sections = (conv2d, linear, batch_norms, layer_norm, elementwise, activations, dropouts, joins, attentions,
                max_pool2d, avg_pool2d, adaptive_avg_pool2d, pads, rows, normalize, cast, losses, mixing, optimizers,
                updates)
    for section in sections:
        if len(sys.argv) == 1 or section.__name__ in sys.argv:
            torch.manual_seed(zlib.crc32(section.__name__.encode()))
            section()
    OUT.mkdir(parents=True, exist_ok=True)
    for op, found in cases.items():
        lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in found)
        (OUT / f"{op}.json").write_text(f"[\n{lines}\n]\n")
    print(f"{len(cases)} ops, {sum(map(len, cases.values()))} cases -> {OUT}")
