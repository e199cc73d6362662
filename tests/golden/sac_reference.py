"""An independent SAC update in PyTorch: the judge of our learner.

    python sac_reference.py            # writes sac_reference.json beside this file
    python sac_reference.py --check    # says whether the file still holds what this script computes

It needs torch alone (tests/peers/requirements.txt has the version that wrote the file).

Everything is computed in float64 from inputs of six digits, so that any reader starts from the same numbers.
Each update does, in this order (equations of arXiv:1812.05905):

1. alpha = exp(log_alpha), as it was before the update.
2. Targets: y = r + discount * continues * (min_i Qtarget_i(s', a') - alpha * log pi(a'|s')), a' from the current actor.
3. Critics: loss = sum_i 0.5 * mean((Q_i(s, a) - y)^2) (Eq. 5-6), one Adam step.
4. Actor: loss = mean(alpha * log pi(a|s) - min_i Q_i(s, a)) under the critics just updated (Eq. 7-10), one Adam step.
5. Temperature: loss = mean(log_alpha * (-log pi - target_entropy)), the published code's form of Eq. 18 (the same sign,
   log_alpha in alpha's place), log pi being step 4's, taken before the actor moved, as a constant; the parameter is log_alpha; one Adam step.
6. Targets: target <- tau * critic + (1 - tau) * target.

Actions: u = mean + exp(clamp(log_std, -20, 2)) * noise, a = tanh(u); the actor gives the means first, then the log-stds.
log pi sums the Gaussian's log density less 2 (ln 2 - u - softplus(-2u)).
A layer computes y = x W + b with W stored row by row in the shape [inputs, outputs].
"""

import argparse
import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F

OBSERVATION, ACTION, HIDDEN, BATCH, UPDATES, REPORTED = 5, 3, 16, 8, 10, (1, 2, 10)
NETWORKS = ("actor", "critic1", "critic2", "target1", "target2")
VARIANTS = {
    "paper": {"layer_norm": False, "discount": 0.99, "target_entropy": -3.0, "tau": 0.005, "learning_rate": 3e-4},
    "layer_norm": {"layer_norm": True, "discount": 0.95, "target_entropy": -1.5, "tau": 0.01, "learning_rate": 1e-3},
}
FIXED = {
    "observation": OBSERVATION, "action": ACTION, "hidden": [HIDDEN, HIDDEN], "batch": BATCH,
    "layer_norm_epsilon": 1e-5, "adam_beta1": 0.9, "adam_beta2": 0.999, "adam_epsilon": 1e-8,
    "log_std_min": -20.0, "log_std_max": 2.0,
}


def six_digits(tensor):
    """The same numbers, as a text of six digits gives them back."""
    return torch.tensor([float(f"{x:.6g}") for x in tensor.flatten().tolist()], dtype=torch.float64).reshape(tensor.shape)


def new_network(inputs, outputs, norm, generator):
    """Random parameters by name; biases and affine factors are off 0 and 1, so that nothing cancels."""
    parameters = {}
    for name, rows, columns in (("hidden1", inputs, HIDDEN), ("hidden2", HIDDEN, HIDDEN), ("output", HIDDEN, outputs)):
        bound = 1.0 / math.sqrt(rows)
        parameters[f"{name}.weight"] = (torch.rand(rows, columns, generator=generator) * 2 - 1) * bound
        parameters[f"{name}.bias"] = (torch.rand(columns, generator=generator) * 2 - 1) * bound
        if norm and name != "output":
            parameters[f"{name}.norm.scale"] = 1 + 0.2 * torch.randn(columns, generator=generator)
            parameters[f"{name}.norm.shift"] = 0.2 * torch.randn(columns, generator=generator)
    return {name: six_digits(value) for name, value in parameters.items()}


def new_inputs(settings, generator):
    """What an update starts from: every network, log alpha, and for each update a batch and two noises."""
    norm = settings["layer_norm"]
    networks = {"actor": new_network(OBSERVATION, 2 * ACTION, False, generator)}
    networks["actor"]["output.bias"][2 * ACTION - 1] = 1.9  # some rows ask for more than the clamp allows
    for name in NETWORKS[1:]:
        networks[name] = new_network(OBSERVATION + ACTION, 1, norm, generator)

    def normal(*shape):
        return six_digits(torch.randn(*shape, generator=generator))

    updates = [{
        "observations": normal(BATCH, OBSERVATION),
        "actions": six_digits(torch.tanh(normal(BATCH, ACTION))),
        "rewards": normal(BATCH) * 2,
        "next_observations": normal(BATCH, OBSERVATION),
        "continues": (torch.rand(BATCH, generator=generator) < 0.75).double(),
        "next_noise": normal(BATCH, ACTION),
        "noise": normal(BATCH, ACTION),
    } for _ in range(UPDATES)]
    return networks, six_digits(torch.tensor([math.log(0.2)])), updates


def forward(network, x, norm):
    """A network of two hidden layers; with `norm`, each is Linear, LayerNorm, ReLU."""
    for name in ("hidden1", "hidden2"):
        x = x @ network[f"{name}.weight"] + network[f"{name}.bias"]
        if norm:
            x = F.layer_norm(x, (HIDDEN,), network[f"{name}.norm.scale"], network[f"{name}.norm.shift"],
                             FIXED["layer_norm_epsilon"])
        x = torch.relu(x)
    return x @ network["output.weight"] + network["output.bias"]


def act(actor, observations, noise):
    """Actions drawn with `noise`, and the logarithm of their density, shape [batch]."""
    mean, log_std = forward(actor, observations, False).chunk(2, dim=1)
    log_std = log_std.clamp(FIXED["log_std_min"], FIXED["log_std_max"])
    u = mean + log_std.exp() * noise
    gaussian = -0.5 * noise**2 - log_std - 0.5 * math.log(2 * math.pi)
    correction = 2 * (math.log(2) - u - F.softplus(-2 * u))
    return torch.tanh(u), (gaussian - correction).sum(1)


def run(settings, networks, log_alpha, updates, dtype=torch.float64):
    """All updates; what was reached after each of REPORTED."""
    networks = {name: {key: value.to(dtype).clone().requires_grad_(not name.startswith("target"))
                       for key, value in network.items()} for name, network in networks.items()}
    log_alpha = log_alpha.to(dtype).clone().requires_grad_(True)
    norm = settings["layer_norm"]
    critic_parameters = [*networks["critic1"].values(), *networks["critic2"].values()]

    def adam(parameters):
        return torch.optim.Adam(parameters, lr=settings["learning_rate"], foreach=False, eps=FIXED["adam_epsilon"],
                                betas=(FIXED["adam_beta1"], FIXED["adam_beta2"]))

    critic_adam, actor_adam, alpha_adam = adam(critic_parameters), adam(list(networks["actor"].values())), adam([log_alpha])

    def q(name, observations, actions):
        return forward(networks[name], torch.cat([observations, actions], 1), norm).squeeze(1)

    def descend(optimiser, loss, parameters):
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters)):
            parameter.grad = gradient
        optimiser.step()

    reached = {}
    for count, update in enumerate(updates, 1):
        update = {name: value.to(dtype) for name, value in update.items()}
        alpha = log_alpha.detach().exp()

        with torch.no_grad():
            next_actions, next_log_pi = act(networks["actor"], update["next_observations"], update["next_noise"])
            next_q = torch.minimum(*(q(name, update["next_observations"], next_actions) for name in ("target1", "target2")))
            y = update["rewards"] + settings["discount"] * update["continues"] * (next_q - alpha * next_log_pi)

        q1, q2 = (q(name, update["observations"], update["actions"]) for name in ("critic1", "critic2"))
        critic_loss = 0.5 * ((q1 - y) ** 2).mean() + 0.5 * ((q2 - y) ** 2).mean()
        descend(critic_adam, critic_loss, critic_parameters)

        actions, log_pi = act(networks["actor"], update["observations"], update["noise"])
        actor_q = torch.minimum(*(q(name, update["observations"], actions) for name in ("critic1", "critic2")))
        actor_loss = (alpha * log_pi - actor_q).mean()
        descend(actor_adam, actor_loss, list(networks["actor"].values()))

        alpha_loss = (log_alpha * (-log_pi.detach() - settings["target_entropy"])).mean()
        descend(alpha_adam, alpha_loss, [log_alpha])

        with torch.no_grad():
            for target, critic in (("target1", "critic1"), ("target2", "critic2")):
                for key, value in networks[target].items():
                    value.copy_(settings["tau"] * networks[critic][key] + (1 - settings["tau"]) * value)

        if count in REPORTED:
            reached[str(count)] = {
                "losses": {"critic": critic_loss.item(), "actor": actor_loss.item(), "temperature": alpha_loss.item()},
                "mean_target": y.mean().item(),
                "mean_log_pi": log_pi.mean().item(),
                "log_alpha": log_alpha.item(),
                "networks": {name: {key: value.detach().clone() for key, value in network.items()}
                             for name, network in networks.items()},
            }
    return reached


def plain(value, digits=9):
    """Tensors as shape and flat numbers; every number of `digits` digits."""
    if isinstance(value, torch.Tensor):
        return {"shape": list(value.shape), "values": plain(value.flatten().tolist(), digits)}
    if isinstance(value, dict):
        return {key: plain(entry, digits) for key, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry, digits) for entry in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def largest_difference(a, b):
    """Largest |a - b| / max(|b|, 0.01) over two results' numbers."""
    if isinstance(a, dict):
        return max(largest_difference(a[key], b[key]) for key in b)
    a, b = torch.as_tensor(a, dtype=torch.float64), torch.as_tensor(b, dtype=torch.float64)
    return ((a - b).abs() / b.abs().clamp(min=0.01)).max().item()


def build():
    """The whole file, and by how much float32 leaves float64: what a learner in float32 may differ by."""
    file, drift = {"settings_of_both": FIXED, "variants": {}}, {}
    for seed, (name, settings) in enumerate(VARIANTS.items(), 1):
        networks, log_alpha, updates = new_inputs(settings, torch.Generator().manual_seed(seed))
        after = run(settings, networks, log_alpha, updates)
        drift[name] = largest_difference(run(settings, networks, log_alpha, updates, torch.float32), after)
        file["variants"][name] = {
            "settings": settings,
            "initial": {"log_alpha": log_alpha.item(), "networks": plain(networks)},
            "updates": plain(updates),
            "after": plain(after),
        }
    return file, drift


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true", help="compare with the file instead of writing it")
    arguments = arguments.parse_args()
    torch.set_num_threads(1)
    path = Path(__file__).with_suffix(".json")
    file, drift = build()
    print(f"float32 leaves float64 by at most: {drift}")
    assert max(drift.values()) < 2e-5, "choose other seeds: rounding alone would fail a comparison to 1e-4"
    if arguments.check:
        stored = json.loads(path.read_text())
        worst = 0.0
        for name, variant in file["variants"].items():
            for part in ("initial", "updates", "after"):
                worst = max(worst, compare(stored["variants"][name][part], variant[part]))
        print(f"{path.name}: largest relative difference {worst:.2e}")
        assert worst < 1e-7, "the file does not hold what this script computes: run it without --check"
    else:
        path.write_text(json.dumps(file, separators=(",", ":")) + "\n")
        print(f"wrote {path.name}, {path.stat().st_size // 1000} kB")


def compare(a, b):
    """Largest relative difference between two structures of plain numbers."""
    if isinstance(b, dict):
        assert a.keys() == b.keys()
        return max((compare(a[key], b[key]) for key in b), default=0.0)
    if isinstance(b, list):
        assert len(a) == len(b)
        return max((compare(x, y) for x, y in zip(a, b)), default=0.0)
    return abs(a - b) / max(abs(b), 0.01)


if __name__ == "__main__":
    main()
