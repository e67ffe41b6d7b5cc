"""What the commonest exceptions mean, in words.

They are recognised by the words of PyTorch, NumPy and Python themselves, and what is said of one
holds wherever it is raised.
"""

import re

AXES = "The shapes do not go together:"
FLOATS = (
    "Numbers of two types meet here, float32 and float64, say, or whole ones and others. Make "
    "yours of the other ones' type: `x.new_zeros(…)`, `dtype=x.dtype`, `.float()`."
)
STATE = (
    "A recurrent layer wants its state with the axes (layers, B, H), an LSTM a pair of them; the "
    "layers count twice in both directions. Input and state both have a batch axis, or neither."
)
IN_PLACE = (
    "A value that the gradient is computed from was overwritten: by `+=`, an index on the left of "
    "`=`, a method that ends in `_` (make a new one), or, of an older graph, by `optimizer.step`."
)
NONE = "`None` stands here: is a `return` missing, or is an argument allowed to be `None`?"
ONE_NUMBER = (
    "A single number stands where several are gone through: is `range` missing, or did "
    "`squeeze()`, `.item()`, an index or a `.tolist()` of one number leave no list?"
)
ONLY_ONCE = (
    "A generator can only be gone through, with `for`, and once: it has no length and no index."
)
ARGUMENTS = (
    "A call and a definition disagree on the number or the names of the arguments. The check calls "
    "as the text says."
)

EXPLAINED = {
    r"expected m1 and m2 to have the same dtype": FLOATS,
    r"expected scalar type \w+ but found": FLOATS,
    r"(must have the|expected both vectors to have) same dtype": FLOATS,
    r"does not match weight dtype": FLOATS,
    r"Input and (parameter|hidden) tensors are not (the same|at the same) dtype": FLOATS,
    r"shapes cannot be multiplied|size mismatch, got input": (
        f"{AXES} in a product of matrices the left one's last axis is as long as the right one's "
        "first."
    ),
    r"matmul: Input operand .* has a mismatch": (
        f"{AXES} in a product of matrices the left one's last axis is as long as the right one's "
        "last but one, or a vector's only one."
    ),
    r"size of tensor a .* must match the size of tensor b|could not be broadcast together": (
        f"{AXES} they are laid over each other from the last axis on, and of two axes both are of "
        "one length or one of them is of length 1."
    ),
    r"shape '.*' is invalid for input of size|cannot reshape array of size": (
        "`view` and `reshape` need as many numbers in the new shape as there are."
    ),
    r"view size is not compatible": (
        "`view` needs numbers in their order in memory, not after a transpose, a slice or "
        "`expand`: use `reshape`."
    ),
    r"stack expects each tensor to be equal size": "`stack` wants tensors of one shape.",
    r"Sizes of tensors must match except": (
        f"{AXES} what is joined must be of one size, but for the axis along which it is joined."
    ),
    r"(expected|expects) a non-empty (list|TensorList)|need at least one array": (
        "The list is empty: has a loop run zero times, or never appended?"
    ),
    r"must be equal to input_size|input has inconsistent input_size": (
        "The last axis of what a recurrent layer reads is as long as its `input_size`."
    ),
    r"hx (and cx )?should also be|Expected hidden(\[[01]\])? size": STATE,
    r"indices must be integers or slices, not tuple": (
        "A list takes one index. Make one tensor of it first: `torch.stack`."
    ),
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
        "Nothing on the way to this value takes a gradient: `detach`, `.item()`, `argmax`, NumPy "
        "or `no_grad` has cut it off, or `requires_grad` was never set."
    ),
    r"Can't call numpy\(\) on Tensor that requires grad": (
        "NumPy keeps no gradients: `.detach().numpy()` leaves them behind."
    ),
    r"a (view of a )?leaf Variable that requires grad is being used in an in-place": (
        "A tensor with `requires_grad` is changed in place. Change a parameter within "
        "`torch.no_grad()`; of anything else make a new one."
    ),
    r"modified by an inplace operation": IN_PLACE,
    r"Boolean value of Tensor with more than one value|truth value of an array": (
        "A whole array stands where one `True` or `False` is asked for. `is None` asks whether "
        "there is one; `.all()` and `.any()` make one of many."
    ),
    r"cannot be converted to Scalar|only (one element tensors|(0-dim|length-1).* arrays)": (
        "One number is asked for here, and this is an array."
    ),
    r"index out of range in self": (
        "A row is asked for that is not there. The first argument of `nn.Embedding` is the number "
        "of its rows."
    ),
    r"is out of bounds for (dimension|axis)|(list|string|tuple) index out of range": (
        "An index lies outside: the first is 0, the last is the length - 1."
    ),
    r"probability tensor contains either": (
        "Probabilities are neither negative, nor infinite, nor nan. A softmax gives proper ones, "
        "unless a logit is nan or a whole row is minus infinity."
    ),
    r"expected target dtype to be Long": (
        "`cross_entropy` wants the right classes as whole numbers, `torch.long`."
    ),
    r"Expected target size|Expected input batch_size": (
        "`cross_entropy` wants the classes on axis 1 of the logits, (N, V) or (B, V, T), and the "
        "targets without that axis."
    ),
    r"could not infer output dtype": "Whole numbers and booleans have no mean: `.float()` first.",
    r"'NoneType' object|'NoneType' and|and 'NoneType'": NONE,
    r"'(int|float)' object is not (iterable|subscriptable)|iteration over a 0-d": ONE_NUMBER,
    r"missing \d+ required positional|positional arguments? but \d+": ARGUMENTS,
    r"unexpected keyword argument": ARGUMENTS,
    r"RecursionError": "It calls itself too often, or without an end.",
    r"ZeroDivisionError": "Something is divided by 0: can a length or a sum be 0 here?",
    r"UnboundLocalError": (
        "A name is used before it has a value. Whatever a function assigns to is its own: is it "
        "assigned to further down, or in a branch or a loop that was not run?"
    ),
}


def explained(message: str) -> str:
    """Return what an exception means, given as "type: words", or "" if that is not known."""
    return next((words for like, words in EXPLAINED.items() if re.search(like, message)), "")
