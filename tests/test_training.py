"""The training loop, its progress, and checkpoints from which training goes on."""

import zipfile

import pytest
import torch
from torch.nn import functional as F

from helpers import plotting, training


@pytest.fixture
def lines(monkeypatch):
    """Collect the texts of progress lines."""
    written = []
    monkeypatch.setattr(training.Line, "write", lambda self, text: written.append(text))
    return written


def linear_model():
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1)
    return model, torch.optim.SGD(model.parameters(), lr=0.1)


def test_fit_is_the_loop_by_hand(lines):
    batches = [(torch.randn(4, 2), torch.randn(4, 1)) for _ in range(5)]
    model, optimizer = linear_model()
    losses = training.fit(model, batches, F.mse_loss, optimizer=optimizer, max_norm=0.5)
    by_hand, optimizer = linear_model()
    expected = []
    for x, y in batches:
        loss = F.mse_loss(by_hand(x), y)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(by_hand.parameters(), 0.5)
        optimizer.step()
        expected.append(loss.item())
    assert losses == expected
    assert torch.equal(model.weight, by_hand.weight)
    assert lines[-1].startswith("training: 5 of 5, ")


def test_fit_stops_at_a_loss_that_is_not_finite():
    model, optimizer = linear_model()
    batches = [
        (torch.ones(1, 2), torch.ones(1, 1)),
        (torch.full((1, 2), float("nan")), torch.ones(1, 1)),
    ]
    with pytest.raises(FloatingPointError, match=r"The loss is nan at step 2\. Lower the learning"):
        training.fit(model, batches, F.mse_loss, optimizer=optimizer, label=None)


def test_progress_ends_with_the_total_also_when_broken_off(lines):
    for item in training.progress(range(10), "counting"):
        if item == 3:
            break
    assert lines[-1].startswith("counting: 3 of 10, ")
    list(training.progress(iter("ab"), "letters"))
    assert lines[-1].startswith("letters: 2 of unknown, ")


def test_watch_draws_every_few_and_at_the_end(monkeypatch):
    drawn = []
    monkeypatch.setattr(plotting.Picture, "show", lambda self, fig, caption: drawn.append(caption))
    assert list(training.watch(range(5), lambda n: (None, n), every=2)) == [0, 1, 2, 3, 4]
    assert drawn == [2, 4, 5]


# --- checkpoints ----------------------------------------------------------------------------------


def recurrent(seed):
    torch.manual_seed(seed)
    model = torch.nn.LSTM(3, 4, batch_first=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=40)
    return model, optimizer, schedule


def learn(model, optimizer, schedule, state, steps):
    for k in steps:
        x = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(k))
        out, state = model(x, state)
        optimizer.zero_grad()
        out.square().mean().backward()
        optimizer.step()
        schedule.step()
        state = tuple(part.detach() for part in state)
    return state


def test_training_goes_on_from_a_checkpoint_to_the_last_bit(tmp_path):
    model, optimizer, schedule = recurrent(seed=0)
    state = learn(model, optimizer, schedule, None, range(10))
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    training.save_checkpoint(
        tmp_path / "a.pt", state=state, **{n: p.state_dict() for n, p in parts.items()}
    )
    expected = learn(model, optimizer, schedule, state, range(10, 20))

    again, optimizer, schedule = recurrent(seed=1)
    kept = training.load_checkpoint(tmp_path / "a.pt")
    for name, part in (("model", again), ("optimizer", optimizer), ("schedule", schedule)):
        part.load_state_dict(kept[name])
    result = learn(again, optimizer, schedule, kept["state"], range(10, 20))
    assert all(torch.equal(a, b) for a, b in zip(result, expected, strict=True))
    for a, b in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_save_that_fails_leaves_the_old_checkpoint(tmp_path):
    path = tmp_path / "a.pt"
    training.save_checkpoint(path, step=1)
    with pytest.raises(Exception, match="local object"):
        training.save_checkpoint(path, step=lambda: 2)
    assert training.load_checkpoint(path) == {"step": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.pt"]


def test_a_missing_folder_or_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*nowhere: create it first"):
        training.save_checkpoint(tmp_path / "nowhere" / "a.pt", step=1)
    with pytest.raises(FileNotFoundError, match=r"There is no checkpoint .*b\.pt"):
        training.load_checkpoint(tmp_path / "b.pt")


def flipped(raw):
    middle = raw.index(b"\x00\x00\x80?")  # a weight of 1.0
    return raw[:middle] + b"\xff" + raw[middle + 1 :]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda raw: raw[: len(raw) // 2], "is damaged or no checkpoint"),
        (lambda raw: b"", "is damaged or no checkpoint"),
        (lambda raw: b"not a checkpoint at all", "is damaged or no checkpoint"),
        (flipped, "is damaged or no checkpoint"),
    ],
    ids=["cut", "empty", "text", "one byte"],
)
def test_a_damaged_checkpoint_is_refused(tmp_path, spoil, words):
    path = tmp_path / "a.pt"
    training.save_checkpoint(path, model={"w": torch.ones(50)})
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match=words):
        training.load_checkpoint(path)


def test_a_checkpoint_of_objects_is_refused_and_runs_nothing(tmp_path):
    class Runs:
        def __reduce__(self):
            return (open, (str(tmp_path / "it ran"), "w"))

    torch.save({"model": Runs()}, tmp_path / "a.pt")
    with pytest.raises(ValueError, match="holds more than tensors, numbers and text"):
        training.load_checkpoint(tmp_path / "a.pt")
    assert not (tmp_path / "it ran").exists()


def test_an_archive_of_something_else_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("hello", "world")
    with pytest.raises(ValueError, match="is no checkpoint of PyTorch"):
        training.load_checkpoint(tmp_path / "a.pt")
