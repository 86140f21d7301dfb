"""Measurements: one scenario a module, ratios side by side in one run.

Machines are noisy and one server differs from its next launch by a third, so every variant is
launched several times, interleaved with the others, and medians and their ratios are quoted.
The robust figure is server CPU per call, from the operating system's accounting of exact calls.
"""
