"""What is wrong with a simulated archive on purpose, one kind of fault a file.

Every fault of a series or a mask sits in a patient of its own who is otherwise as good as the others, so
that whatever becomes of the patient is the fault's doing.
"""
