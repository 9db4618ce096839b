"""Scripts of pages as text: made small, and several made one."""
