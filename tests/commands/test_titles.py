"""A model's title tells it from every other in the same table."""

from __future__ import annotations

from dataclasses import replace

from ghostdeploy import zoo
from ghostdeploy.commands.titles import titles_of
from ghostdeploy.lowering.rewrites import FORMS
from ghostdeploy.schema import Artifact, ExportOptions

FILE = Artifact("models/x.tflite", "ab", 1, "tflite", "fp32")
MODEL = replace(FILE, path="models/ghostnetv2_1.0_224_fp32.tflite", spec=zoo.make_spec())


def test_forms_of_one_network():
    forms = [
        replace(MODEL, export=ExportOptions(without=f.without, speed=f.speed))
        for f in FORMS.values()
    ]
    titles = titles_of(forms)
    assert titles[0] == "GhostNetV2 1.0×"
    assert titles[2] == "GhostNetV2 1.0× fast"
    assert len(set(titles)) == len(FORMS)


def test_what_the_title_leaves_out_is_told_by_the_file():
    other = replace(MODEL, path="models/ghostnetv2_1.0_224_fp32_seed7.tflite", weights="seed:7")
    assert titles_of([MODEL, other, FILE]) == [
        "GhostNetV2 1.0× (ghostnetv2_1.0_224_fp32.tflite)",
        "GhostNetV2 1.0× (ghostnetv2_1.0_224_fp32_seed7.tflite)",
        "x.tflite",
    ]


def test_files_of_one_name_by_their_folders_and_one_file_by_a_number():
    old = replace(FILE, path="old/x.tflite")
    assert titles_of([FILE, old]) == ["models/x.tflite", "old/x.tflite"]
    assert titles_of([FILE, FILE]) == ["x.tflite (1)", "x.tflite (2)"]
