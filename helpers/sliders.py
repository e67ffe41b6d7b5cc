"""The controls of `plotting.explore`: a slider with its number, or a list to choose from."""

import inspect
from collections.abc import Callable

# A slider needs its kernel. In a notebook that is opened again JupyterLab writes an error in its
# place; this style sheet writes what to do instead.
ASLEEP = """<style>
[data-mime-type="application/vnd.jupyter.widget-view+json"]:not(:has(*)) { font-size: 0; }
[data-mime-type="application/vnd.jupyter.widget-view+json"]:not(:has(*))::after {
  content: "Run this cell to wake its sliders."; font-size: 13px; }
</style>"""


def control(draw: Callable, name: str, values):
    """Return the control for an argument of `draw`, at its default.

    values: (lowest, highest, step), or a list to choose from

    Raises ValueError if it is neither, TypeError for an argument that `draw` does not take.
    """
    from ipywidgets import interactive

    parameters = inspect.signature(draw).parameters
    if name not in parameters:
        raise TypeError(f"`draw` has no argument {name!r}; it takes {', '.join(parameters)}.")
    slider = interactive.widget_from_abbrev(values, parameters[name].default)
    if slider is None:
        raise ValueError(
            f"{name}={values!r} is no control: give (lowest, highest, step) or a list of values."
        )
    slider.description = name.replace("_", " ")
    slider.continuous_update = False
    slider.style.description_width = "initial"
    slider.layout.width = "28em"
    return slider


def with_its_number(slider):
    """Return a slider behind a field with its name and number; another control as it is.

    What is written beside a slider is not its name to a screen reader, but that of a field is.
    """
    from ipywidgets import BoundedFloatText, BoundedIntText, FloatSlider, HBox, IntSlider, link

    if not isinstance(slider, FloatSlider | IntSlider):
        return slider
    kind = BoundedFloatText if isinstance(slider, FloatSlider) else BoundedIntText
    limits = {"min": slider.min, "max": slider.max, "step": slider.step}
    number = kind(value=slider.value, description=slider.description, **limits)
    number.style.description_width, number.layout.width = "initial", "16em"
    slider.description, slider.readout = "", False
    link((slider, "value"), (number, "value"))
    return HBox([number, slider])
