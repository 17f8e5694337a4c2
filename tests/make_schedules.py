"""Writes tests/golden/schedules.json: what torch.optim.lr_scheduler gives for every step of a run. Needs torch; run it
from anywhere. tests/test_schedule.c compares.

A list of {sched, by_step, epochs, steps (an epoch), rates, momenta (where they move), measured (after every epoch, of
plateau)}; `sched` is what --sched is given.
"""
import json
import pathlib

import torch
from torch.optim import lr_scheduler

LR = 0.5
EPOCHS, STEPS = 10, 3
TOTAL = EPOCHS * STEPS
MEASURED = [0.5, 0.4, 0.41, 0.42, 0.39999, 0.45, 0.3, 0.3, 0.31, 0.32]

cases = []


def add(sched, make, by_step=False, optimizer=torch.optim.SGD, measured=None, **args):
    opt = optimizer([torch.nn.Parameter(torch.zeros(1))], lr=LR, **args)
    schedule = make(opt)
    rates, momenta = [], []
    for epoch in range(EPOCHS):
        for _ in range(STEPS):
            group = opt.param_groups[0]
            rates.append(group["lr"])
            momenta.append(group["betas"][0] if "betas" in group else group["momentum"])
            opt.step()
            if by_step:
                schedule.step()
        if measured:
            schedule.step(measured[epoch])
        elif not by_step:
            schedule.step()
    case = {"sched": sched, "by_step": by_step, "epochs": EPOCHS, "steps": STEPS, "lr": LR, "rates": rates}
    if sched.startswith("one_cycle"):
        case["momenta"] = momenta
    if measured:
        case["measured"] = measured
    cases.append(case)


def one_cycle(text="", **args):
    add("one_cycle" + text, lambda o: lr_scheduler.OneCycleLR(o, LR, total_steps=TOTAL, **args), True)


def main():
    milestones = [1, 2, 4, 5, 7, 9]
    text = "multistep:milestones=[%s],gamma=0.5" % ",".join(map(str, milestones))
    add("step:step_size=3,gamma=0.5", lambda o: lr_scheduler.StepLR(o, 3, 0.5))
    add("step:step_size=4", lambda o: lr_scheduler.StepLR(o, 4), True)
    add(text, lambda o: lr_scheduler.MultiStepLR(o, milestones, 0.5))
    add(text, lambda o: lr_scheduler.MultiStepLR(o, milestones, 0.5), True)
    add("exponential:gamma=0.9", lambda o: lr_scheduler.ExponentialLR(o, 0.9))
    add("cosine:min_lr=0.01", lambda o: lr_scheduler.CosineAnnealingLR(o, EPOCHS, 0.01))
    add("cosine", lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL), True)
    add("polynomial:power=2", lambda o: lr_scheduler.PolynomialLR(o, EPOCHS, 2))
    add("plateau:factor=0.5,patience=1,cooldown=1,min_lr=0.2",
        lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=0.5, patience=1, cooldown=1, min_lr=0.2), measured=MEASURED)
    add("plateau:factor=0.5,patience=0", lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=0.5, patience=0),
        measured=MEASURED)
    one_cycle()
    one_cycle(":pct_start=0.25,div_factor=10,final_div_factor=100,anneal_strategy=linear", pct_start=0.25, div_factor=10,
              final_div_factor=100, anneal_strategy="linear")
    one_cycle(":three_phase=true", three_phase=True)
    one_cycle(":three_phase=true,pct_start=0.45,anneal_strategy=linear,base_momentum=0.5,max_momentum=0.9",
              three_phase=True, pct_start=0.45, anneal_strategy="linear", base_momentum=0.5, max_momentum=0.9)
    one_cycle(":pct_start=0", pct_start=0.0)
    add("one_cycle:max_momentum=0.9", lambda o: lr_scheduler.OneCycleLR(o, LR, total_steps=TOTAL, max_momentum=0.9),
        True, torch.optim.Adam)
    path = pathlib.Path(__file__).parent / "golden" / "schedules.json"
    path.write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
    print(f"{len(cases)} schedules -> {path}")


if __name__ == "__main__":
    main()
