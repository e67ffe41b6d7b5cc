"""Processor seconds of one fixed matrix product, which tell how fast the machine is."""

import time

import torch


def matrix_product(repeats=400):
    """Return the seconds of a product of two 512 x 512 matrices in float32, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    a, b = torch.ones(2, 512, 512)
    rounds = []
    for _ in range(5):  # the median: a machine that others use is slower at times
        started = time.process_time()
        for _ in range(repeats):
            a @ b
        rounds.append((time.process_time() - started) / repeats)
    torch.set_num_threads(threads)
    return sorted(rounds)[2]


def main():
    print(f"one product: {1000 * matrix_product():.3f} ms")
