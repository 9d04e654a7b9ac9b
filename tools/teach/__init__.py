"""Problems with numbers drawn for each student: what a problem is, how it is loaded and drawn.

`lecturer/problems/*.py` hold them; `python -m tools.teach` checks them and writes sheets.
"""

from tools.teach.loading import CHAPTERS as CHAPTERS
from tools.teach.loading import Collection as Collection
from tools.teach.loading import Exam as Exam
from tools.teach.loading import load as load
from tools.teach.problem import Answer as Answer
from tools.teach.problem import Problem as Problem
from tools.teach.problem import ProblemError as ProblemError
from tools.teach.problem import Task as Task
from tools.teach.problem import agrees as agrees
from tools.teach.problem import problem as problem
from tools.teach.seeds import PUBLIC as PUBLIC
from tools.teach.seeds import drawn as drawn
