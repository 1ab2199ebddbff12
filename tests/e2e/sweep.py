# SPDX-License-Identifier: BSD-2-Clause
"""Removes what a test run that was interrupted has left: see lab.node.sweep."""

from lab.node import sweep

sweep()
