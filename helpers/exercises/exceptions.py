"""What the commonest exceptions mean, in words.

They are recognised by the words of PyTorch, NumPy and Python themselves, and what is said of one
holds wherever it is raised.
"""

import re

AXES = "The shapes do not go together:"
FLOATS = (
    "Numbers of two types meet here, float32 and float64, say, or whole ones. What you make "
    "yourself takes the type of what you were given: `x.new_zeros(…)`, or `dtype=x.dtype`."
)
STATE = (
    "A recurrent layer wants its state with the axes (layers, B, H), an LSTM a pair of them; the "
    "layers count twice in both directions."
)
IN_PLACE = (
    "A value that the gradient is computed from was overwritten in place, by `+=`, by an index on "
    "the left of `=`, or by a method that ends in `_`. Make a new one."
)
NONE = "`None` stands here: is a `return` missing, or is an argument allowed to be `None`?"
ONE_NUMBER = (
    "A single number stands where several are gone through: `squeeze()`, `.item()`, an index or a "
    "`.tolist()` of one number leaves no list."
)
ONLY_ONCE = (
    "A generator can only be gone through, with `for`, and once: it has no length and no index."
)
ARGUMENTS = "It is called as the text says: keep the arguments' number, order and names."

EXPLAINED = {
    r"expected m1 and m2 to have the same dtype": FLOATS,
    r"expected scalar type (Float|Double) but found (Float|Double)": FLOATS,
    r"(must have the|expected both vectors to have) same dtype": FLOATS,
    r"does not match weight dtype": FLOATS,
    r"Input and (parameter|hidden) tensors are not (the same|at the same) dtype": FLOATS,
    r"shapes cannot be multiplied|size mismatch, got input": (
        f"{AXES} in a product of matrices the left one's last axis is as long as the right one's "
        "first."
    ),
    r"matmul: Input operand .* has a mismatch": (
        f"{AXES} in a product of matrices the left one's last axis is as long as the right one's "
        "last but one."
    ),
    r"size of tensor a .* must match the size of tensor b|could not be broadcast together": (
        f"{AXES} they are laid over each other from the last axis on, and of two axes both are of "
        "one length or one of them is of length 1."
    ),
    r"shape '.*' is invalid for input of size|cannot reshape array of size": (
        "`view` and `reshape` need as many numbers in the new shape as there are."
    ),
    r"view size is not compatible": (
        "`view` cannot follow a change of the order of axes: use `reshape`."
    ),
    r"stack expects each tensor to be equal size|Sizes of tensors must match except": (
        f"{AXES} what is joined must be of one size, but for the axis along which it is joined."
    ),
    r"(expected|expects) a non-empty (list|TensorList)|need at least one array": (
        "There is nothing to put together: a loop has run zero times."
    ),
    r"must be equal to input_size|input has inconsistent input_size": (
        "The last axis of what a recurrent layer reads is as long as its `input_size`."
    ),
    r"hx (and cx )?should also be|Expected hidden(\[[01]\])? size|hidden(\[[01]\])? has": STATE,
    r"'tuple' object has no attribute|(can't|cannot) .*'tuple'|, not tuple$": (
        "A tuple stands here. `nn.RNN` and its kin return two things, (output, state), and an "
        "LSTM's state is a pair itself, (h, c)."
    ),
    r"'generator' object is not subscriptable|'generator' has no len": ONLY_ONCE,
    r"backward through the graph a second time": (
        "This `backward` comes upon a graph that an earlier one has used up: a state is carried on "
        "without `detach()`, or a loss is used twice."
    ),
    r"does not require grad and does not have a grad_fn": (
        "Nothing on the way to this value takes a gradient: `detach`, `.item()`, NumPy or "
        "`no_grad` has cut it off, or `requires_grad` was never set."
    ),
    r"Can't call numpy\(\) on Tensor that requires grad": (
        "NumPy keeps no gradients: `.detach().numpy()` leaves them behind."
    ),
    r"a (view of a )?leaf Variable that requires grad is being used in an in-place": (
        "A parameter is changed while its gradient is recorded: do it within `torch.no_grad()`."
    ),
    r"modified by an inplace operation": IN_PLACE,
    r"Boolean value of Tensor with more than one value|truth value of an array": (
        "A whole array stands where one `True` or `False` is asked for. `is None` asks whether "
        "there is one; `.all()` and `.any()` make one of many."
    ),
    r"cannot be converted to Scalar|only (one element tensors|(0-dim|length-1).* arrays)": (
        "One number is asked for here, and there are several."
    ),
    r"index out of range in self": (
        "An embedding is asked for a row that it does not have: its first argument is their number."
    ),
    r"is out of bounds for (dimension|axis)|(list|string|tuple) index out of range": (
        "An index runs beyond the end: the last one is the length - 1."
    ),
    r"probability tensor contains either": (
        "Probabilities are neither negative, nor infinite, nor nan: a softmax makes such numbers, "
        "also of large ones."
    ),
    r"expected target dtype to be Long|expected scalar type Long": (
        "`cross_entropy` wants the right classes as whole numbers, `torch.long`."
    ),
    r"Expected target size|Expected input batch_size": (
        "`cross_entropy` wants the classes on axis 1 of the logits, (N, V) or (B, V, T), and the "
        "targets without that axis."
    ),
    r"could not infer output dtype": "Whole numbers have no mean here: make them `.float()` first.",
    r"'NoneType' object|'NoneType' and|and 'NoneType'": NONE,
    r"'(int|float)' object is not (iterable|subscriptable)|iteration over a 0-d": ONE_NUMBER,
    r"missing \d+ required positional|positional arguments? but \d+": ARGUMENTS,
    r"unexpected keyword argument": ARGUMENTS,
    r"RecursionError": "It calls itself without an end.",
    r"ZeroDivisionError": "Something is divided by 0: can a length or a sum be 0 here?",
    r"UnboundLocalError": (
        "A name is used before it has a value: it is only given one in a branch or a loop that was "
        "not run, or further down."
    ),
}


def explained(message: str) -> str:
    """Return what an exception means, given as "type: words", or "" if that is not known."""
    return next((words for like, words in EXPLAINED.items() if re.search(like, message)), "")
