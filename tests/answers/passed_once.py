"""Wrong answers that had passed when they were found: each is why a case or a fact is as it is."""

import torch

from tests.answers import wrong


@wrong("parity_batch", "a one is slightly likelier than a zero")
def of_likely_ones(batch_size, T, seed):
    rng = torch.Generator().manual_seed(seed)
    x = (torch.rand(batch_size, T, generator=rng) < 0.55).long()
    return x, x.cumsum(dim=1) % 2


@wrong("parity_batch", "there are only seven seeds")
def of_seven_seeds(batch_size, T, seed):
    rng = torch.Generator().manual_seed(seed % 7)
    x = torch.randint(2, (batch_size, T), generator=rng)
    return x, x.cumsum(dim=1) % 2


@wrong("parity_batch", "every second sequence is the opposite of the one before")
def of_opposites(batch_size, T, seed):
    rng = torch.Generator().manual_seed(seed)
    x = torch.randint(2, (batch_size, T), generator=rng)
    x[1::2] = 1 - x[: 2 * (batch_size // 2) : 2]
    return x, x.cumsum(dim=1) % 2


@wrong("parity_batch", "the second half is the first reversed and opposed")
def of_mirrored_halves(batch_size, T, seed):
    rng = torch.Generator().manual_seed(seed)
    half = torch.randint(2, (batch_size - batch_size // 2, T), generator=rng)
    x = torch.cat([half, 1 - half.flip(0)])[:batch_size]
    return x, x.cumsum(dim=1) % 2


@wrong("parity_batch", "windows of one stream that overlap")
def of_windows(batch_size, T, seed):
    rng = torch.Generator().manual_seed(seed)
    x = torch.randint(2, (T + batch_size,), generator=rng).unfold(0, T, 1)[:batch_size]
    return x, x.cumsum(dim=1) % 2


@wrong("parity_batch", "all sequences are among a hundred")
def of_a_hundred(batch_size, T, seed):
    rng = torch.Generator().manual_seed(seed)
    x = torch.randint(2, (100, T), generator=rng)
    x = x[torch.randint(100, (batch_size,), generator=rng)]
    return x, x.cumsum(dim=1) % 2


@wrong("parity_batch", "every sixth sequence is the opposite of the one before")
def of_some_opposites(batch_size, T, seed):
    x = torch.randint(2, (batch_size, T), generator=torch.Generator().manual_seed(seed))
    later = torch.arange(1, batch_size, 6)
    x[later] = 1 - x[later - 1]
    return x, x.cumsum(dim=1) % 2


@wrong("attention_step", "a window of 140 steps")
def attention_in_a_window(q_t, k_t, v_t, cache, num_heads):
    q, k, v = (each.unflatten(1, (num_heads, 1, -1)) for each in (q_t, k_t, v_t))
    if cache is not None:
        k, v = (torch.cat(pair, dim=2)[:, :, -140:] for pair in zip(cache, (k, v), strict=True))
    weights = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return (weights @ v).flatten(1), (k, v)


@wrong("linear_attention_step", "the state is kept within 50")
def linear_attention_within_bounds(S, q_t, k_t, v_t):
    S = (S + v_t[:, :, None] * k_t[:, None, :]).clamp(-50, 50)
    return (S @ q_t[:, :, None])[..., 0], S


@wrong("delta_rule_step", "the state is kept within 50")
def delta_rule_within_bounds(S, q_t, k_t, v_t, beta_t):
    missing = v_t - (S @ k_t[:, :, None])[..., 0]
    S = S + beta_t[:, None, None] * missing[:, :, None] * k_t[:, None, :]
    S = S.clamp(-50, 50)
    return (S @ q_t[:, :, None])[..., 0], S
