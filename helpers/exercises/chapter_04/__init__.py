"""The exercises of chapter 4, forecasting time series.

Symbols: n series, T time steps, W steps in a window, K steps ahead, S steps in a season, P paths, Q
quantiles. A forecast of one step has the shape (n, 1).
"""

IN_PLACE = (
    "`prediction` is changed in place: the caller needs it as it was, and so does the gradient. "
    "Make a new tensor, without `-=` and without methods that end in an underscore."
)

ORDER = (
    "naive_forecast",
    "mase",
    "linear_forecast",
    "mse",
    "train_epoch",
    "evaluate",
    "make_windows",
    "one_value_limit",
    "forecast_recursive",
    "pinball_loss",
    "simulate_paths",
    "fill_gaps",
    "value_and_mask",
    "split_and_scale",
    "seasonal_naive",
    "rolling_origin",
    "leaking_origins",
    "build_forecaster",
)
