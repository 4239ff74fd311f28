from dataclasses import replace

from isocenter.model.task import Channel, Label, Task, TaskContract
from isocenter.rules.select import ScreenOptions
from isocenter.stages.build.options import AgreementOptions, BuildOptions, Standardise, recipe_of

CT, PET = Channel(modality="CT"), Channel(modality="PT")


def options(**channels):
    contract = TaskContract(
        task=Task.SEGMENTATION, labels={"tumour": Label(value=1)}, channels=channels, reference="ct"
    )
    return BuildOptions(
        name="n", contract=contract, standardise=Standardise(), agreement=AgreementOptions(),
        screen=ScreenOptions(), backend="hdf5", chunk=(8, 8, 8),
    )  # fmt: skip


def test_channels_in_another_order_make_other_records():
    assert recipe_of(options(ct=CT, pet=PET)) != recipe_of(options(pet=PET, ct=CT))
    assert recipe_of(options(ct=CT, pet=PET)) == recipe_of(options(ct=CT, pet=PET))


def test_words_that_loading_reads_make_no_other_record():
    word = replace(PET, normalise="zscore")
    assert recipe_of(options(ct=CT, pet=PET)) == recipe_of(options(ct=CT, pet=word))
