"""The final exam: chapters 1 to 8, one point a minute."""

from tools.teach import Exam

EXAM = Exam(
    title="Final exam",
    minutes=150,
    aids="two sheets of your own notes, and a pocket calculator",
    covers="chapters 1 to 8",
)
