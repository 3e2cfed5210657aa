"""What every page shares."""

from pathlib import Path

from procqa.evaluation.report.rendering import render

TEMPLATE = """{% extends "base.html" %}{% from "parts.html" import tell_miss %}
{% block title %}{{ name }}{% endblock %}{% block main %}{{ value | score }} {{ none | signed }} {{ 1234 | number }}
{{ tell_miss(shown) }}{% endblock %}"""
MISS = {"query_id": "q", "right": "d", "rank": 0, "cause": "other words"}


def test_a_template_of_another_folder_takes_the_frame_and_escapes(tmp_path: Path):
    (tmp_path / "page.html").write_text(TEMPLATE)
    shown = {"miss": MISS, "query": "<script>", "right": "", "hits": [["d1", 0.5, "<b>"]]}
    page = render("page.html", {"name": "</title><i>", "value": 0.12345, "shown": shown}, folder=tmp_path)
    assert page.startswith("<!doctype html>")
    assert "<title>&lt;/title&gt;&lt;i&gt;</title>" in page
    assert "0.123 – 1,234" in page
    assert "Rank 1: d1 (0.500)</h4><pre>&lt;b&gt;</pre>" in page
    assert page.count("<script>") == 1
