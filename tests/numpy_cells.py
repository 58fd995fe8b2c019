"""One step of every cell in float64 numpy, written from the formulas in their docstrings."""

from itertools import pairwise

import numpy as np
from scipy.linalg import expm
from scipy.special import expit, log_expit


def step(cell, x, state):
    """Quantities of one step, name -> (batch, width), with the weights of a cell of `zoo.cells`.

    Args:
        cell: built; its weights are read.
        x: inputs (batch, features).
        state: parts of the state before the step, each (batch, width).
    """
    weights = [np.asarray(w, np.float64) for w in cell.get_weights()]
    x = np.asarray(x, np.float64)
    state = [np.asarray(part, np.float64) for part in state]
    return STEPS[type(cell).__name__](cell, x, state, *weights)


def simple(cell, x, state, kernel, recurrent, bias):
    return {"hidden": np.tanh(x @ kernel + state[0] @ recurrent + bias)}


def gru(cell, x, state, kernel, recurrent, bias):
    (h,), units = state, cell.units
    z, a = x @ kernel + bias[0], h @ recurrent + bias[1]
    u = expit(z[:, :units] + a[:, :units])
    r = expit(z[:, units : 2 * units] + a[:, units : 2 * units])
    g = np.tanh(z[:, 2 * units :] + r * a[:, 2 * units :])
    return {"hidden": u * h + (1 - u) * g, "update": u, "reset": r, "candidate": g}


def lstm(cell, x, state, kernel, recurrent, bias):
    h, c = state
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
    i, f, g, o = expit(i), expit(f), np.tanh(g), expit(o)
    c = f * c + i * g
    gates = {"input": i, "forget": f, "candidate": g, "output": o}
    return {"hidden": o * np.tanh(c), "cell": c} | gates


def maxwell(cell, x, state, log_modulus, log_time, raw_exponent):
    """Without `richardson`."""
    modulus, time = np.exp(log_modulus), np.exp(log_time)
    excess = np.log1p(np.exp(raw_exponent)) + cell.min_exponent - 1.0
    (stress,), (stretch, dt) = state, _increments(x)
    scale, dissipation, memory = cell.stress_scale, 0.0, 1.0
    for _ in range(cell.substeps):
        before = stress + modulus * stretch / (2 * cell.substeps)
        decay = power_law_decay(before / scale, dt / (cell.substeps * time), excess)
        dissipation = dissipation - before**2 * np.expm1(-2 * decay) / (2 * modulus)
        memory = memory * np.exp(-(1 + excess) * decay)
        stress = before * np.exp(-decay) + modulus * stretch / (2 * cell.substeps)
    return {
        "stress": stress,
        "energy": stress**2 / (2 * modulus),
        "dissipation": dissipation,
        "relaxation_rate": np.maximum(abs(stress / scale), 1e-30) ** excess / time,
        "memory": memory,
    }


def power_law_decay(stress, pace, excess):
    """L of ds/dt = -|s|^excess s/tau in a hold of pace = dt/tau; infinite once s is zero."""
    linear = pace * np.maximum(abs(stress), 1e-30) ** excess
    with np.errstate(divide="ignore"):
        return np.log1p(np.maximum(excess * linear, -1.0)) / excess if excess else linear


def prony(cell, x, state, log_moduli, log_times):
    """Dissipation by 64 Gauss points in each tenth of the step, where exponentials are smooth."""
    moduli, times = np.exp(log_moduli), np.exp(log_times)
    (h,), (stretch, dt) = state, _increments(x)
    y = dt / times

    def at(share):
        mean = np.where(y == 0, share, -np.expm1(-share * y) / np.where(y == 0, 1, y))
        return np.exp(-share * y) * h + mean * moduli * stretch

    after = at(1.0)
    points, weights = np.polynomial.legendre.leggauss(64)
    # h varies within a few relaxation times, then is constant: pieces that grow by a factor of 4
    edges = np.append(0.0, 4.0 ** np.arange(-15, 1))
    lost = 0.0
    for low, high in pairwise(edges):
        for point, weight in zip(points, weights, strict=True):
            share = low + (high - low) * (1 + point) / 2
            lost = lost + weight * (high - low) / 2 * at(share) ** 2
    return {
        "stress": after.sum(-1, keepdims=True),
        "energy": (after**2 / (2 * moduli)).sum(-1, keepdims=True),
        "dissipation": (lost * y / moduli).sum(-1, keepdims=True),
        "branch_stress": after,
        "memory": np.exp(-y),
    }


def relaxation(cell, x, state, log_moduli, level, bends):
    moduli = np.exp(log_moduli)
    slopes = np.log1p(np.exp(bends)) - 1 if cell.monotone else bends
    knots = np.log(cell.knots)
    (stress,), (stretch, dt) = state, _increments(x)
    half, dt = moduli * stretch / (2 * cell.substeps), np.broadcast_to(dt, stress.shape)
    dissipation, log_memory = 0.0, 0.0
    for _ in range(cell.substeps):
        before = stress + half
        size = _log_size(before / cell.stress_scale)
        fall = np.empty_like(size)
        for row, branch in np.ndindex(size.shape):
            curve = knots, level[branch], slopes[branch]
            fall[row, branch] = _fall(size[row, branch], dt[row, branch] / cell.substeps, *curve)
        dissipation = dissipation - before**2 * np.expm1(-2 * fall) / (2 * moduli)
        rise = _log_rate(size - fall, knots, level, slopes) - _log_rate(size, knots, level, slopes)
        log_memory = log_memory + rise - fall
        stress = before * np.exp(-fall) + half
    return {
        "stress": stress.sum(-1, keepdims=True),
        "energy": (stress**2 / (2 * moduli)).sum(-1, keepdims=True),
        "dissipation": dissipation.sum(-1, keepdims=True),
        "branch_stress": stress,
        "relaxation_rate": np.exp(
            _log_rate(_log_size(stress / cell.stress_scale), knots, level, slopes)
        ),
        "memory": np.exp(log_memory),
    }


def lmsc(cell, x, state, *weights):
    (hidden,), (stretch, dt) = state, _increments(x)
    stretch, dt = stretch / cell.stretch_scale, dt / cell.time_scale
    length = np.sqrt(stretch**2 + dt**2 + 1e-12)
    features = np.concatenate([hidden, stretch / length, dt / length], axis=-1)
    kernel_0, bias_0, kernel_1, bias_1, by_stretch, by_time, to_target, readout = weights
    for kernel, bias in ((kernel_0, bias_0), (kernel_1, bias_1)):
        left, right = np.split(np.tanh(features @ kernel + bias), 2, axis=-1)
        features = left * right
    rate = np.exp(features @ by_stretch) * abs(stretch) + np.exp(features @ by_time) * dt
    target = np.tanh(features @ to_target)
    hidden = hidden - np.expm1(-rate) * (target - hidden)
    return {
        "stress": cell.stress_scale * hidden @ readout,
        "hidden": hidden,
        "target": target,
        "rate": rate,
        "features": features,
    }


def emsc(cell, x, state, *weights):
    """The coefficients of `lmsc`, with biases, at the start and in the middle of each substep."""
    (hidden,), (strain, dt) = state, _increments(x)
    strain, dt = strain / cell.stretch_scale, dt / cell.time_scale
    length = np.sqrt(strain**2 + dt**2 + 1e-12)
    matrices, maps, (readout, *biases) = weights[:4], weights[4:7], weights[7:]

    def coefficients(hidden):
        z = np.concatenate([hidden, strain / length, dt / length], axis=-1)
        for kernel, bias in (matrices[:2], matrices[2:]):
            left, right = np.split(np.tanh(z @ kernel + bias), 2, axis=-1)
            z = left * right
        by_strain, by_time, target = (z @ m + b for m, b in zip(maps, biases, strict=True))
        rate = np.exp(by_strain) * abs(strain) + np.exp(by_time) * dt
        return z, rate / cell.substeps, np.tanh(target)

    for _ in range(cell.substeps):
        _, rate, target = coefficients(hidden)
        middle = hidden - np.expm1(-rate / 2) * (target - hidden)
        features, rate, target = coefficients(middle)
        hidden = hidden - np.expm1(-rate) * (target - hidden)
    return {
        "stress": cell.stress_scale * hidden @ readout,
        "hidden": hidden,
        "target": target,
        "rate": cell.substeps * rate,
        "features": features,
    }


def cfc(cell, x, state, backbone, backbone_bias, heads, bias):
    (h,), u, dt = state, x[:, :-1], x[:, -1:]
    z = 1.7159 * np.tanh(0.666 * (np.concatenate([u, h], axis=-1) @ backbone + backbone_bias))
    f, g, early, late = np.split(z @ heads + bias, 4, axis=-1)
    t = expit(f * dt + g)
    return {"hidden": (1 - t) * np.tanh(early) + t * np.tanh(late), "time": t}


def mingru(cell, x, state, kernel, bias):
    """The share that is kept is σ(−k) at Δt = 1 (Feng et al. 2024), and its Δt-th power."""
    (h,), u, dt = state, x[:, :-1], x[:, -1:]
    k, g = np.split(u @ kernel + bias, 2, axis=-1)
    kept, gate = np.exp(dt * log_expit(-k)), -np.expm1(dt * log_expit(-k))
    return {"hidden": kept * h + gate * g, "candidate": g, "gate": gate}


def lru(cell, x, state, log_decay, log_frequency, log_gain, kernel, readout, skip, bias):
    """In complex numbers."""
    u, dt, h = x[:, :-1], x[:, -1:], state[0] + 1j * state[1]
    b, c = np.split(kernel, 2, axis=-1), np.split(readout, 2)
    mu = -np.exp(log_decay) + 1j * np.exp(log_frequency)
    h = np.exp(mu * dt) * h + np.exp(log_gain) * np.expm1(mu * dt) / mu * (u @ (b[0] + 1j * b[1]))
    value, gate = np.split((h @ (c[0] - 1j * c[1])).real + u @ skip + bias, 2, axis=-1)
    return {"output": value * expit(gate), "real": h.real, "imaginary": h.imag}


def lmu(cell, x, state, encoder, kernel, memory_kernel, bias, log_window, *recurrent):
    """By matrix exponentials of the published A and B, for the memory that the modes stand for."""
    h, real, imaginary = state
    u, dt, order = x[:, :-1], x[:, -1:], cell.visible["memory"]
    i, j = np.ogrid[:order, :order]
    a = (2 * i + 1) * np.where(i < j, -1.0, (-1.0) ** (i - j + 1))
    b = ((2 * i + 1) * (-1.0) ** i)[:, 0]
    poles, vectors = np.linalg.eig(a)  # the modes z of m = V diag(V⁻¹ b) z, one of each pair
    kept = poles.imag > -1e-9
    mixing = (vectors * np.linalg.solve(vectors, b))[:, kept] * np.where(
        poles.imag[kept] > 1e-9, 2, 1
    )
    m = ((real + 1j * imaginary) @ mixing.T).real
    signal = u @ encoder
    if recurrent:
        hidden_encoder, memory_encoder, recurrent_kernel = recurrent
        signal = signal + h @ hidden_encoder + m @ memory_encoder
    after, modes = np.empty_like(m), np.empty((len(m), real.shape[1]), complex)
    for row, time in enumerate(dt[:, 0] / np.exp(log_window)):
        system = np.zeros((order + 1, order + 1))  # van Loan: e^(A t) beside its integral times B
        system[:-1, :-1], system[:-1, -1] = a, b
        step = expm(system * time)
        after[row] = step[:-1, :-1] @ m[row] + step[:-1, -1] * signal[row]
        turn = np.exp(poles[kept] * time)
        before = real[row] + 1j * imaginary[row]
        modes[row] = turn * before + np.expm1(poles[kept] * time) / poles[kept] * signal[row]
    total = u @ kernel + after @ memory_kernel + bias
    hidden = np.tanh(total + h @ recurrent_kernel if recurrent else total)
    return {"hidden": hidden, "memory": after, "real": modes.real, "imaginary": modes.imag}


def cornn(cell, x, state, kernel, bias, log_stiffness, log_damping):
    (y, z), u, dt = state, x[:, :-1], x[:, -1:]
    force = np.tanh(np.concatenate([u, y, z], axis=-1) @ kernel + bias)
    # both linear terms at the end of the step: (1 + ε Δt) z' + γ Δt y' = z + Δt force
    gamma, epsilon = np.exp(log_stiffness), np.exp(log_damping)
    z = (z + dt * force - gamma * dt * y) / (1 + epsilon * dt + gamma * dt**2)
    return {"position": y + dt * z, "velocity": z}


STEPS = {
    "CfCCell": cfc,
    "CoRNNCell": cornn,
    "EMSCCell": emsc,
    "LMUCell": lmu,
    "LRUCell": lru,
    "MinGRUCell": mingru,
    "SimpleRNNCell": simple,
    "GRUCell": gru,
    "LSTMCell": lstm,
    "MaxwellCell": maxwell,
    "PronyCell": prony,
    "RelaxationCell": relaxation,
    "LMSCCell": lmsc,
}


def _increments(x):
    return x[:, 1:2] * x[:, 2:3], x[:, 2:3]


def _log_size(stress):
    return np.log(np.maximum(abs(stress), 1e-30))


def _log_rate(x, knots, level, slopes):
    """Log of the relaxation rate at x (batch, branches), piecewise linear, `level` at x = 0."""

    def rise(at):
        widths = np.append(np.diff(knots), np.inf)
        return (np.clip(at[..., None] - knots, 0.0, widths) * slopes).sum(-1)

    return level + rise(x) - rise(np.zeros_like(x))


def _fall(x, dt, knots, level, slopes):
    """Decrease of x, dx/dt = -rate(x), piece after piece from above."""
    start = x
    for knot, slope in zip(knots[::-1], slopes[::-1], strict=True):
        if x <= knot or dt == 0:
            continue
        rate = np.exp(_log_rate(np.array(x), knots, level, slopes))
        width = x - knot
        time = np.expm1(slope * width) / (slope * rate) if slope else width / rate
        if time > dt:
            return start - (x - (np.log1p(slope * rate * dt) / slope if slope else rate * dt))
        x, dt = knot, dt - time
    return start - x + dt * np.exp(_log_rate(np.array(x), knots, level, slopes))
