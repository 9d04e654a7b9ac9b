"""What two widgets or more use: Python here, ES modules and the style of all beside it."""
