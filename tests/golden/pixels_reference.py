"""An independent SAC update from pictures in PyTorch: the judge of our learner with an encoder.

    python pixels_reference.py            # writes pixels_reference.json beside this file
    python pixels_reference.py --check    # says whether the file still holds what this script computes

The update is sac_reference.py's (which this script takes losses, density and writing from), with these additions:

- Pictures are bytes [batch, 8, 8, 3]; a network gets byte / 255 - 0.5.
- The encoder: a convolution (3x3, stride 2, no padding, 4 filters), ReLU, the numbers [3, 3, 4] in a row, a linear layer
  to 5 features, layer normalisation, tanh. Actor and critics are given [features, numbers].
- Shared: the critics' loss trains encoder and critics, one Adam step each. The actor reads the features that the critics'
  loss was computed from (before that step), without training them; for targets it reads the next pictures by the
  present encoder, the target critics by the encoder's moving average.
- Separate: the actor has an encoder of its own, which its loss trains; its critics see by the critics' features as above.

Weights of the convolution are stored in the shape [3 * 3 * 3, 4], rows in the order y, x, colour.
"""

import argparse
import json
import math
from pathlib import Path

import sac_reference as sac
import torch
import torch.nn.functional as F

SIDE, KERNEL, STRIDE, FILTERS, FEATURES, UPDATES, REPORTED = 8, 3, 2, 4, 5, 3, (1, 3)
VARIANTS = {
    "shared": {"separate": False, "layer_norm": True, "discount": 0.97, "target_entropy": -3.0, "tau": 0.01, "learning_rate": 1e-3},
    "separate": {"separate": True, "layer_norm": False, "discount": 0.99, "target_entropy": -1.5, "tau": 0.005, "learning_rate": 3e-4},
}


def new_encoder(generator):
    """Random parameters by name, none of which cancels."""
    side = (SIDE - KERNEL) // STRIDE + 1
    flat, patch = side * side * FILTERS, KERNEL * KERNEL * 3

    def uniform(rows, *shape):
        return (torch.rand(*shape, generator=generator) * 2 - 1) / math.sqrt(rows)

    encoder = {
        "conv.weight": uniform(patch, patch, FILTERS), "conv.bias": uniform(patch, FILTERS),
        "linear.weight": uniform(flat, flat, FEATURES), "linear.bias": uniform(flat, FEATURES),
        "norm.scale": 1 + 0.2 * torch.randn(FEATURES, generator=generator),
        "norm.shift": 0.2 * torch.randn(FEATURES, generator=generator),
    }
    return {name: sac.six_digits(value) for name, value in encoder.items()}


def encode(encoder, pictures):
    """Features [batch, 5] of pictures [batch, 8, 8, 3] in bytes."""
    x = (pictures / 255 - 0.5).permute(0, 3, 1, 2)
    weight = encoder["conv.weight"].reshape(KERNEL, KERNEL, 3, FILTERS).permute(3, 2, 0, 1)
    x = torch.relu(F.conv2d(x, weight, encoder["conv.bias"], stride=STRIDE))
    x = x.permute(0, 2, 3, 1).flatten(1) @ encoder["linear.weight"] + encoder["linear.bias"]
    return torch.tanh(F.layer_norm(x, (FEATURES,), encoder["norm.scale"], encoder["norm.shift"], 1e-5))


def new_inputs(settings, generator):
    """Networks over features and numbers, encoders, log alpha, and batches with pictures."""
    numbers, sac.OBSERVATION = sac.OBSERVATION, sac.OBSERVATION + FEATURES
    networks, log_alpha, updates = sac.new_inputs(settings, generator)
    sac.OBSERVATION = numbers
    for name in ("encoder", "target_encoder", *(["actor_encoder"] if settings["separate"] else [])):
        networks[name] = new_encoder(generator)
    for update in updates:
        for name in ("observations", "next_observations"):
            update[name] = update[name][:, :numbers].contiguous()
            pictures = torch.randint(0, 256, (sac.BATCH, SIDE, SIDE, 3), generator=generator)
            update[name.replace("observations", "pictures")] = pictures.double()
    return networks, log_alpha, updates[:UPDATES]


def run(settings, networks, log_alpha, updates, dtype=torch.float64):
    """All updates; what was reached after each of REPORTED."""
    networks = {name: {key: value.to(dtype).clone().requires_grad_("target" not in name) for key, value in network.items()}
                for name, network in networks.items()}
    log_alpha, norm = log_alpha.to(dtype).clone().requires_grad_(True), settings["layer_norm"]
    own = "actor_encoder" if settings["separate"] else "encoder"

    def parameters(*names):
        return [value for name in names for value in networks[name].values()]

    critics = parameters("critic1", "critic2", "encoder")
    actors = parameters("actor", *(["actor_encoder"] if settings["separate"] else []))

    def adam(of):
        return torch.optim.Adam(of, lr=settings["learning_rate"], foreach=False, eps=1e-8, betas=(0.9, 0.999))

    critic_adam, actor_adam, alpha_adam = adam(critics), adam(actors), adam([log_alpha])

    def q(names, seen, actions):
        pairs = torch.cat([seen, actions], 1)
        return [sac.forward(networks[name], pairs, norm).squeeze(1) for name in names]

    def descend(optimiser, loss, of):
        for parameter, gradient in zip(of, torch.autograd.grad(loss, of)):
            parameter.grad = gradient
        optimiser.step()

    reached = {}
    for count, update in enumerate(updates, 1):
        update = {name: value.to(dtype) for name, value in update.items()}
        alpha = log_alpha.detach().exp()

        def see(encoder, when):
            features = encode(networks[encoder], update[when + "pictures"])
            return torch.cat([features, update[when + "observations"]], 1)

        with torch.no_grad():
            next_actions, next_log_pi = sac.act(networks["actor"], see(own, "next_"), update["next_noise"])
            next_q = torch.minimum(*q(("target1", "target2"), see("target_encoder", "next_"), next_actions))
            y = update["rewards"] + settings["discount"] * update["continues"] * (next_q - alpha * next_log_pi)

        seen = see("encoder", "")
        critic_loss = sum(0.5 * ((one - y) ** 2).mean() for one in q(("critic1", "critic2"), seen, update["actions"]))
        descend(critic_adam, critic_loss, critics)

        by_actor = see(own, "") if settings["separate"] else seen.detach()
        actions, log_pi = sac.act(networks["actor"], by_actor, update["noise"])
        actor_loss = (alpha * log_pi - torch.minimum(*q(("critic1", "critic2"), seen.detach(), actions))).mean()
        descend(actor_adam, actor_loss, actors)

        alpha_loss = (log_alpha * (-log_pi.detach() - settings["target_entropy"])).mean()
        descend(alpha_adam, alpha_loss, [log_alpha])

        with torch.no_grad():
            for target, source in (("target1", "critic1"), ("target2", "critic2"), ("target_encoder", "encoder")):
                for key, value in networks[target].items():
                    value.copy_(settings["tau"] * networks[source][key] + (1 - settings["tau"]) * value)

        if count in REPORTED:
            reached[str(count)] = {
                "losses": {"critic": critic_loss.item(), "actor": actor_loss.item()},
                "mean_target": y.mean().item(), "mean_log_pi": log_pi.mean().item(), "log_alpha": log_alpha.item(),
                "networks": {name: {key: value.detach().clone() for key, value in network.items()}
                             for name, network in networks.items()},
            }
    return reached


def build():
    """The whole file, and by how much float32 leaves float64."""
    file = {"settings_of_both": {**sac.FIXED, "side": SIDE, "kernel": KERNEL, "stride": STRIDE, "filters": FILTERS,
                                 "features": FEATURES}, "variants": {}}
    drift = {}
    for seed, (name, settings) in enumerate(VARIANTS.items(), 11):
        networks, log_alpha, updates = new_inputs(settings, torch.Generator().manual_seed(seed))
        after = run(settings, networks, log_alpha, updates)
        drift[name] = sac.largest_difference(run(settings, networks, log_alpha, updates, torch.float32), after)
        file["variants"][name] = {
            "settings": settings,
            "initial": {"log_alpha": log_alpha.item(), "networks": sac.plain(networks)},
            "updates": sac.plain(updates),
            "after": sac.plain(after, 8),
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
    if arguments.check:
        stored = json.loads(path.read_text())
        worst = max(sac.compare(stored["variants"][name][part], variant[part])
                    for name, variant in file["variants"].items() for part in ("initial", "updates", "after"))
        print(f"{path.name}: largest relative difference {worst:.2e}")
        assert worst < 1e-6, "the file does not hold what this script computes: run it without --check"
    else:
        path.write_text(json.dumps(file, separators=(",", ":")) + "\n")
        print(f"wrote {path.name}, {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
