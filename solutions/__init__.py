"""The instructors' side of the course: the solutions, and the commands that release and grade."""
