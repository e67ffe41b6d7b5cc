"""How JupyterLab starts for this course: on the first chapter, and without asking the network.

python -m jupyterlab --config=jupyter_lab_config.py
"""

from pathlib import Path

COURSE = Path(__file__).parent

c = get_config()  # noqa: F821 - JupyterLab reads this file, and has it
c.ServerApp.root_dir = str(COURSE)
c.LabApp.default_url = "/lab/tree/notebooks/01_rnn_basics.ipynb"
# No question on the first start whether to fetch news, and none about newer versions. What the
# folder holds are settings that a user can still change in JupyterLab.
c.LabApp.app_settings_dir = str(COURSE / ".jupyter")
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.news_url = None
