"""These tests start servers of their own, in folders of their own."""

from tests.support.folders import tmp_path

__all__ = ["tmp_path"]
