"""Every exercise: solutions and variants pass, stubs are open, unknown mistakes are localised.

Also the promises of `check`: it shows the reader's own line and cannot be turned green by running
it again. Known mistakes are in test_mistakes.py, the trained forecaster in test_chapter_04.py.
"""

import importlib
import pkgutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from helpers import check, points
from helpers.calling.arrays import call
from helpers.environment import COURSE
from helpers.exercises import catalogue, checking, diagnosis, examine
from helpers.exercises.chapter_04.build_forecaster import Fixed
from helpers.exercises.contract import Exercise
from helpers.exercises.known import Known
from helpers.exercises.relations import Pair
from tests import chapters, variants
from tests.plugin import TRAINED, draws

EXERCISES = [exercise for chapter in catalogue.chapters().values() for exercise in chapter]
BY_LENGTH = sorted(EXERCISES, key=lambda exercise: len(exercise.name), reverse=True)
VARIANTS = [
    (exercise, answer)
    for module in pkgutil.iter_modules(variants.__path__)
    for name, answer in vars(importlib.import_module(f"tests.variants.{module.name}")).items()
    if (exercise := next((e for e in BY_LENGTH if name.startswith(e.name + "_")), None))
]
SOLVED = {
    name: thing
    for path in chapters.SOLUTIONS
    for name, thing in chapters.define(chapters.read(path)).items()
}
STUBS = {
    name: thing
    for path in chapters.NOTEBOOKS
    for name, thing in chapters.define(chapters.read(path)).items()
}


def named(pairs):
    return [f"{e.name}-{getattr(other, '__name__', '')}" for e, other in pairs]


# The others' solutions are checked at each run of the notebooks, on cases that are drawn then.
QUICK = [exercise for exercise in EXERCISES if exercise.name not in TRAINED]


@pytest.mark.parametrize("seed", draws(5))
@pytest.mark.parametrize("exercise", QUICK, ids=lambda e: e.name)
def test_solution_passes(judged, exercise, seed):
    result = judged(exercise, SOLVED[exercise.name], seed)
    assert result.status == "passed", result.message


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_stub_is_not_attempted(exercise):
    assert examine(STUBS.get(exercise.name), exercise).status == "not attempted"


@pytest.mark.parametrize("seed", draws(5))
@pytest.mark.parametrize(("exercise", "answer"), VARIANTS, ids=named(VARIANTS))
def test_variant_passes(exercise, answer, judged, seed):
    result = judged(exercise, answer, seed)
    assert result.status == "passed", result.message


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_exercise_is_complete(exercise):
    name, messages = exercise.name, [mistake.message for mistake in exercise.mistakes]
    assert len(set(messages)) == len(messages) >= 5, f"{name} knows too few mistakes"
    others = [answer for e, answer in VARIANTS if e is exercise]
    assert len(others) >= 2, f"tests/variants has too few other right answers to {name}"
    assert exercise.points > 0
    assert exercise.difficulty in (1, 2, 3)
    assert name in SOLVED, f"no solution has a cell that answers {name} and one that checks it"
    assert name in STUBS, f"no student copy asks for {name}: run solutions/release.py"


def test_names_are_unique_in_the_course():
    assert len({e.name for e in EXERCISES}) == len(EXERCISES)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_reference_leaves_the_exercise_open(exercise, capsys):
    assert check(exercise.reference) is exercise.reference
    assert "still open" in capsys.readouterr().out
    assert examine(exercise.reference).status == "not attempted"


def test_cases_are_fresh_at_each_run():
    for exercise in EXERCISES:
        first, second = (str(exercise.cases(np.random.default_rng())) for _ in range(2))
        fixed = all(
            not isinstance(v, np.ndarray | list)
            for c in exercise.cases(np.random.default_rng())
            for v in c.values()
        )
        assert fixed or first != second


# --- unknown mistakes are localised ---------------------------------------------------------------


def wrong_from_the_third_step(x, h_0, *weights):
    states, h_T = SOLVED["rnn_forward"](x, h_0, *weights)
    states = states.clone()
    states[:, 3:] += 0.5
    return states, h_T


def wrong_before_the_end(cell, x, loss):
    norms = SOLVED["gradient_norms"](cell, x, loss)
    norms[:-2] *= 1.5
    return norms


def solved(name):
    """Return the solution of an exercise, to be altered."""
    return lambda *arguments: SOLVED[name](*arguments)


def forgets_what_comes_back_from_step_17(x, y, predictions, contexts, w1, w2):
    dw1, dw2, dh = SOLVED["sine_backward"](x, y, predictions, contexts, w1, w2)
    own = np.outer(predictions - y, w2)
    carried = dh - own
    carried[:17] *= 0.5
    return dw1, dw2, own + carried


def returning(what, network=nn.RNN):
    """Return a LastStepRNN whose `forward` gives what(y, h_n)."""

    class Model(nn.Module):
        def __init__(self, input_size, hidden_size, output_size):
            super().__init__()
            self.rnn = network(input_size, hidden_size, batch_first=True)
            self.fc = nn.Linear(hidden_size, output_size)

        def forward(self, x):
            out, h_n = self.rnn(x)
            return what(self.fc(out[:, -1]), h_n)

    return Model


step, forward, gradients = map(solved, ("rnn_step", "rnn_forward", "sine_backward"))
memory_step, adding, encode = map(solved, ("lstm_step", "adding_problem_batch", "encode_padded"))


def switches_gradients_off(model, x, y):
    torch.set_grad_enabled(False)
    return SOLVED["evaluate"](model, x, y)


class LayersInAList(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        layer = nn.RNN(input_size, hidden_size, batch_first=True)
        self.layers = [layer, nn.Linear(hidden_size, output_size)]

    def forward(self, x):
        return self.layers[1](self.layers[0](x)[0][:, -1])


def wider(input_size, hidden_size, output_size):
    return SOLVED["RNNTextGen"](input_size, hidden_size + 1, output_size)


class MixesRows(nn.Module):
    def __init__(self, *sizes):
        super().__init__()
        self.model = SOLVED["CharLSTM"](*sizes)

    def forward(self, ids, state=None):
        logits, state = self.model(ids, state)
        return logits - logits.mean(dim=0), state


coded, batches = map(solved, ("encode", "batchify"))
surprise, text_step = map(solved, ("bits_per_char", "train_text_step"))
draw, written = map(solved, ("sample_next", "generate"))
recursive, epoch = map(solved, ("forecast_recursive", "train_epoch"))
cut, split = map(solved, ("make_windows", "split_and_scale"))
LOCALISED = [
    (
        "rnn_forward",
        wrong_from_the_third_step,
        "right for t < 3, wrong from t = 3 on. At b = 0, t = 3, h = 0",
    ),
    (
        "gradient_norms",
        wrong_before_the_end,
        "right for t ≥ 4, wrong from t = 3 backwards. At t = 3",
    ),
    (
        "sine_backward",
        forgets_what_comes_back_from_step_17,
        "right for t ≥ 17, wrong from t = 16 backwards. At t = 16, h = 0",
    ),
    ("sine_backward", lambda *a: gradients(*a)[:2], "Return 3 values, `dw1`, `dw2`, `dh`; got 2"),
    ("sgd_step", lambda *a: a[0], "Return 2 values, `weights`, `velocities`; got"),
    ("rnn_step", lambda *a: step(*a) * 2, "It is everywhere 2 times what is expected."),
    ("rnn_step", lambda *a: -step(*a), "It is everywhere -1 times what is expected."),
    ("rnn_step", lambda *a: step(*a).T, "has shape (4, 2); expected (2, 4), that is (B, H)."),
    (
        "rnn_forward",
        lambda *a: (forward(*a)[0].flip(1), forward(*a)[1]),
        "in reverse order along axis T",
    ),
    ("rnn_step", lambda *a: None, "is a `return` missing?"),
    ("rnn_forward", lambda *a: forward(*a)[0], "Return 2 values, `states`, `h_T`; got one Tensor."),
    ("rnn_step", lambda *a: step(*a) * float("nan"), "it is nan"),
    ("rnn_step", lambda *a: "tanh", "must consist of real numbers; it is 'tanh'"),
    ("rnn_step", lambda *a: list(step(*a)), "is a list of 2 tensors. Make one of them"),
    ("count_parameters", lambda *a: "496", "must consist of real numbers; it is '496'"),
    ("rnn_step", lambda x, h, *w: step(x, h.add_(0.1), *w), "changed its argument `h_prev`"),
    ("rnn_shapes", lambda *a: ((1, 2, 3), (1, 2, 3)), "`out` is (1, 2, 3); expected ("),
    ("rnn_shapes", lambda *a: ((None, 2), (1, 2)), "must consist of real numbers; it is (None, 2)"),
    ("LastStepRNN", returning(lambda y, h: (y, h)), "Return `output` alone; got a tuple of 2."),
    ("LastStepRNN", returning(lambda y, h: y, nn.LSTM), "Too many: a gated network"),
    ("lstm_step", lambda *a: (memory_step(*a)[0], -memory_step(*a)[1]), "`c_t` is wrong. At"),
    ("encode_padded", lambda *a: 0.5 * encode(*a), "It is everywhere 0.5 times"),
    ("adding_problem_batch", lambda *a: adding(*a)[0], "Return 2 values, `x`, `y`; got one"),
    (
        "adding_problem_batch",
        lambda *a: (adding(*a)[0] * torch.tensor([1, 2]), adding(*a)[1]),
        "The values that marks take: 0, 2; expected about 0, 1.",
    ),
    ("set_forget_bias", lambda lstm, value: lstm.zero_grad(), "`forget bias` is wrong"),
    (
        "forecast_recursive",
        lambda *a: recursive(*a) * torch.tensor([1.0, 1.0, 2.0, 2.0])[: a[2]],
        "right for t < 2, wrong from t = 2 on. At b = 0, t = 2",
    ),
    ("train_epoch", lambda *a: 2 * epoch(*a), "`loss` is"),
    ("make_windows", lambda *a: cut(*a)[0], "Return 2 values, `x`, `y`; got one"),
    (
        "split_and_scale",
        lambda *a: split(*a)[:2],
        "Return 3 values, `train`, `validation`, `test`; got 2",
    ),
    ("build_forecaster", lambda series: torch.nn.Linear, "Return a trained model, an `nn.Module`"),
    ("mse", lambda p, t: ValueError("differ"), "is returned, so that nothing stops"),
    (
        "build_forecaster",
        lambda series: Fixed(lambda x: x[:, -1] * float("nan")),
        "Some forecasts are NaN",
    ),
    ("encode", lambda text, vocab: coded(text, vocab) + 1, "`ids` is "),
    ("learn_language", lambda text: text, "Return a function, `predict`; got one str"),
    ("ablate_unit", lambda lstm, fc, *_: fc, "Return 2 values, `lstm`, `fc`; got one Linear"),
    ("ablate_unit", lambda lstm, fc, *_: (lstm, 1.0), "`fc` is one float"),
    ("batchify", lambda *a: batches(*a)[:2], "Return 3 values, `x`, `y`, `held_out`; got 2"),
    ("batchify", lambda *a: (batches(*a)[0], *batches(*a)[:2]), "The target is the input itself"),
    ("bits_per_char", lambda *a: 2 * surprise(*a), "`bits` is "),
    ("RNNTextGen", lambda *a: 5, "`int` is no `nn.Module`"),
    ("RNNTextGen", wider, "`number of parameters` is"),
    ("CharLSTM", MixesRows, "`one sequence changes another` is 1; expected 0"),
    ("train_text_step", lambda *a: text_step(*a)[0], "Return 2 values, `loss`, `state`; got one"),
    ("sample_next", lambda *a: draw(*a) * 0, "Of 2000 draws from row"),
    ("sample_next", lambda *a: draw(*a) + 1, "`ids` runs from"),
    ("generate", lambda *a: written(*a) * 0, "where nothing is left to chance"),
    ("generate", lambda *a: written(*a).float(), "the number of a class is whole"),
    ("evaluate", switches_gradients_off, "Gradients stay switched off"),
    ("LastStepRNN", LayersInAList, "The model has 0 parameters"),
    ("mark_claims", lambda: dict.fromkeys("ABCDEFGH", "4"), "`A` is '4'; it must be a whole"),
    ("mark_claims", lambda: solved("mark_claims")() | {"E": 3}, "not mended by 3"),
]


@pytest.mark.parametrize(("name", "answer", "words"), LOCALISED)
def test_unknown_mistake_is_localised(judged, name, answer, words):
    result = judged(catalogue.find(name), answer, 0)
    assert result.status == "wrong"
    assert words in result.message
    assert "Case: " in result.message or name == "mark_claims"


def test_what_only_an_exercise_finds_different_is_localised():
    """Facts of a batch count as different where the general measure would let them pass."""
    got, expected = np.full(6, 0.2), np.array([0.2, 0.1, 0.2, 0.2, 0.2, 0.2])
    said = diagnosis.localise("marks", "t", got, expected, 0.06, [Pair(got, expected, {})])
    assert "At t = 1 it is 0.2; expected 0.1" in said


def test_a_marked_claim_never_shows_the_right_mark():
    result = examine(lambda: dict.fromkeys("ABCDEFGH", 7), "mark_claims")
    assert result.status == "wrong"
    assert "expected" not in result.message


# --- answers that raise ---------------------------------------------------------------------------


def test_raised_shows_the_own_line_and_the_shapes():
    def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
        total = x_t @ W_hh  # the wrong matrix
        return torch.tanh(total)

    result = examine(rnn_step, seed=0)
    assert result.status == "raised"
    assert "Your line: `total = x_t @ W_hh  # the wrong matrix  (in rnn_step)`" in result.message
    assert "x_t (2, 3)" in result.message
    assert "site-packages" not in result.message


def test_own_line_is_shown_even_when_the_error_comes_from_deep_inside_a_library():
    class LastStepRNN(torch.nn.Module):
        def __init__(self, input_size, hidden_size, output_size):
            super().__init__()
            self.rnn = torch.nn.RNN(hidden_size, hidden_size, batch_first=True)

        def forward(self, x):
            return self.rnn(x)

    result = examine(LastStepRNN)
    assert result.status == "raised"
    assert "Your line: `return self.rnn(x)" in result.message


def test_a_forward_that_is_missing_is_not_taken_for_a_stub():
    class LastStepRNN(torch.nn.Module):
        def __init__(self, input_size, hidden_size, output_size):
            super().__init__()

        def foward(self, x):
            return x

    result = examine(LastStepRNN)
    assert result.status == "raised"
    assert "forward" in result.message


def test_a_stub_called_by_an_answer_is_the_answers_error():
    def carry_state(state):
        raise NotImplementedError("not yet")

    def train_on_stream(model, windows, optimizer):
        for x, _ in windows:
            carry_state(model(x)[1])

    assert examine(train_on_stream).status == "raised"


def test_facts_are_established_on_plain_tensors():
    """An object that looks like a tensor could say anything of itself."""

    class Cut(torch.Tensor):
        grad_fn = None
        requires_grad = False

    def carry_state(state):
        if isinstance(state, tuple):
            return tuple(part.as_subclass(Cut) for part in state)
        return state.as_subclass(Cut)

    result = examine(carry_state)
    assert result.status == "wrong"
    assert "no plain tensor" in result.message


def test_steps_are_counted_where_no_answer_counts():
    """It takes one step and claims all others."""

    def train_on_stream(model, windows, optimizer):
        windows = list(windows)
        optimizer.step()
        optimizer.steps = optimizer.taken = len(windows)
        return [0.0] * len(windows)

    exercise = catalogue.find("train_on_stream")
    with torch.random.fork_rng(devices=[]):
        known = Known(exercise, exercise.cases(np.random.default_rng(0)))
        outcomes = known.collected(train_on_stream)
    assert {float(o.outputs["calls of optimizer.step"]) for o in outcomes} == {1.0}


# --- check itself ---------------------------------------------------------------------------------


def test_check_returns_what_passes_and_a_reference_otherwise(capsys):
    solution = SOLVED["rnn_step"]
    assert check(solution) is solution
    assert "passed" in capsys.readouterr().out
    stub = STUBS["rnn_step"]
    reference = check(stub)
    assert reference is catalogue.find("rnn_step").reference
    assert check(reference) is reference


def test_an_unknown_name_is_told_the_nearest_one_and_stays_in_use(capsys):
    def rnn_stepp():
        pass

    assert check(rnn_stepp) is rnn_stepp
    assert "Is `rnn_step` meant?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "said"),
    [("old_step", "`rnn_step` has taken its place"), ("gone", "nothing has taken")],
)
def test_a_name_of_an_older_edition_is_told_the_new_one_and_stays_in_use(
    monkeypatch, capsys, name, said
):
    monkeypatch.setattr(
        catalogue,
        "FORMERLY",
        {"old_step": catalogue.Former(1, "rnn_step"), "gone": catalogue.Former(1)},
    )

    def answer():
        pass

    answer.__name__ = name
    assert check(answer) is answer
    assert said in capsys.readouterr().err


def test_former_names_lead_to_exercises_that_there_are():
    names = {exercise.name for exercise in EXERCISES}
    assert not names & set(catalogue.FORMERLY)
    assert {former.now for former in catalogue.FORMERLY.values()} <= names | {""}


def test_points_tell_what_is_passed_and_what_is_open(monkeypatch, capsys):
    monkeypatch.setattr(checking, "_last", {})
    points()
    assert capsys.readouterr().out.startswith("No exercise was checked yet")

    def encode(text, vocab):
        raise NotImplementedError

    for answer in (SOLVED["nucleus"], encode, SOLVED["bits_per_char"], SOLVED["generate"]):
        check(answer)
    capsys.readouterr()
    points()
    said = capsys.readouterr().out
    assert said.startswith("Chapter 5: 3 of 15 exercises passed, ")
    assert "Open: encode, batchify," in said
    assert said.count("\n") == 1


def test_only_the_first_case_prints(capsys):
    def rnn_step(*arguments):
        print("here")
        return SOLVED["rnn_step"](*arguments)

    examine(rnn_step)
    assert capsys.readouterr().out == "here\n"


def test_a_check_loads_no_compiler():
    """PyTorch's take seconds to load, and every check but the first would hide it."""
    source = "import sys\nfrom helpers.exercises import catalogue, examine\n"
    source += "print(examine(lambda *_: 1, 'rnn_step').status, 'torch._inductor' in sys.modules)"
    command = [sys.executable, "-c", source]
    done = subprocess.run(command, cwd=COURSE, capture_output=True, text=True, check=True)
    assert done.stdout == "wrong False\n"


def test_global_random_states_are_left_alone():
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    expected = torch.rand(1), np.random.rand()  # noqa: NPY002
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    examine(SOLVED["LastStepRNN"])
    assert (torch.rand(1), np.random.rand()) == expected  # noqa: NPY002


def test_an_exercise_may_compare_and_explain_in_its_own_way():
    exercise = Exercise(
        name="answer",
        title="",
        points=1,
        difficulty=1,
        outputs={"sign": ""},
        cases=lambda rng: [{"value": 3.0}],
        drive=call,
        reference=lambda value: value,
        against="",
        mistakes=(),
        equal=lambda got, expected, tolerance: np.sign(got) == np.sign(expected),
        explain=lambda got, expected: "the sign differs",
    )
    assert examine(lambda value: 100 * value, exercise).status == "passed"
    result = examine(lambda value: -value, exercise)
    assert result.message == "the sign differs\nCase: value 3."


# --- the references themselves, against closed forms ----------------------------------------------


def test_reference_gradient_norms_are_the_chain_rule():
    cell = torch.nn.RNNCell(2, 3).double()
    x = torch.randn(1, 6, 2, dtype=torch.float64)
    states, h = [], torch.zeros(1, 3, dtype=torch.float64)
    for t in range(6):
        h = torch.tanh(
            x[:, t] @ cell.weight_ih.T + cell.bias_ih + h @ cell.weight_hh.T + cell.bias_hh
        )
        states.append(h)
    gradient, norms = torch.ones(1, 3, dtype=torch.float64), []
    for h in reversed(states):
        norms.append(gradient.norm())
        gradient = gradient * (1 - h**2) @ cell.weight_hh
    reference = catalogue.find("gradient_norms").reference(cell, x, torch.sum)
    assert torch.allclose(reference, torch.stack(norms[::-1]))
