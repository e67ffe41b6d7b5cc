"""The exercises of chapter 4, forecasting time series.

Symbols: n series, T time steps, W steps in a window, Q quantiles. A forecast of one step has the
shape (n, 1).
"""

IN_PLACE = (
    "`prediction` is changed in place: the caller needs it as it was, and so does the gradient. "
    "Make a new tensor, without `-=` and without methods that end in an underscore."
)

ORDER = (
    "naive_forecast",
    "linear_forecast",
    "mse",
    "simple_rnn",
    "train_epoch",
    "evaluate",
    "make_windows",
    "forecast_recursive",
    "pinball_loss",
    "fill_gaps",
    "split_and_scale",
    "build_forecaster",
)
