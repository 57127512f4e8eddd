"""Reading: functions to values, with libcst."""
