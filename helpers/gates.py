"""Looks into gates: those of an `nn.LSTM` at every step, and the GRU of the paper of 2014.

B sequences in a batch, T time steps, D input size, H hidden size.
"""

import torch
from torch import nn


@torch.no_grad()
def gates_of(lstm: nn.LSTM, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return input gate, forget gate and memory, each (B, T, H), of an LSTM with one layer.

    x (B, T, D). Raises ValueError for more than one layer or direction, and for a projection.
    """
    if lstm.num_layers > 1 or lstm.bidirectional or lstm.proj_size:
        raise ValueError("gates_of reads an nn.LSTM of one layer, one direction, no projection.")
    W_ih, W_hh, b_ih, b_hh = lstm.all_weights[0]
    cell = nn.LSTMCell(lstm.input_size, lstm.hidden_size, dtype=x.dtype)
    cell.load_state_dict({"weight_ih": W_ih, "weight_hh": W_hh, "bias_ih": b_ih, "bias_hh": b_hh})
    h = c = x.new_zeros(len(x), lstm.hidden_size)
    record = []
    for x_t in x.unbind(dim=1):
        inward, forget, _, _ = torch.sigmoid(x_t @ W_ih.T + b_ih + h @ W_hh.T + b_hh).chunk(4, 1)
        h, c = cell(x_t, (h, c))
        record.append(torch.stack([inward, forget, c]))
    in_gate, forget_gate, memory = torch.stack(record, dim=2)
    return in_gate, forget_gate, memory


def gru_step_2014(
    x_t: torch.Tensor, h_prev: torch.Tensor, W_ih: torch.Tensor, W_hh: torch.Tensor, *biases
) -> torch.Tensor:
    """Return the next state (B, H) of a GRU whose reset gate acts before the matrix product.

    As in Cho et al. (2014); x_t (B, D), h_prev (B, H), the weights as `nn.GRUCell` stores them.
    """
    b_ih, b_hh = biases
    x_sums = nn.functional.linear(x_t, W_ih, b_ih).chunk(3, dim=1)
    matrices, offsets = W_hh.chunk(3), b_hh.chunk(3)
    states = zip(matrices[:2], offsets[:2], strict=True)
    r, z = (
        torch.sigmoid(x_sum + nn.functional.linear(h_prev, W, b))
        for x_sum, (W, b) in zip(x_sums, states, strict=False)
    )
    n = torch.tanh(x_sums[2] + nn.functional.linear(r * h_prev, matrices[2], offsets[2]))
    return torch.lerp(n, h_prev, z)
