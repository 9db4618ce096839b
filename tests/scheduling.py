"""Which worker of a test run gets which module."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

FEW = 2
"""Tests that a worker may have left when it gets its next module; it runs none without a next."""


class Scheduling(LoadScopeScheduling):
    """By module, also after a worker has died.

    Of a dead worker xdist hands on all modules that it ever had, and one of them only: the next
    worker gets one that is done, and waits for tests for ever. The test that killed it would be
    tried again, and kill again.
    """

    def remove_node(self, node: WorkerController) -> str | None:
        """The test that the worker died of, if it did; what it had left goes to others."""
        modules = self.assigned_work.pop(node)
        left = (test for tests in modules.values() for test, done in tests.items() if not done)
        if (deadly := next(left, None)) is None:
            return None
        for module, tests in modules.items():
            if deadly in tests:
                tests[deadly] = True
            if not all(tests.values()):
                self.workqueue[module] = tests
        for other in self.assigned_work:
            self._reschedule(other)
        return deadly

    def _reschedule(self, node: WorkerController) -> None:
        if node.shutting_down:
            return
        while self.workqueue and self._pending_of(self.assigned_work[node]) <= FEW:
            try:
                self._assign_work_unit(node)
            except OSError:  # it has just died: `remove_node` hands this on, too
                return
        if not self.workqueue:
            node.shutdown()  # once it has run what it has


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    return Scheduling(config, log) if config.getvalue("dist") == "loadscope" else None
