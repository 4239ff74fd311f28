import pytest

from isocenter.augment.sides import is_one_sided, names_side


@pytest.mark.parametrize(
    "name",
    [
        *("kidney_left", "Left lung", "R-kidney", "femur-rt", "right1", "l", "R"),
        *(
            "LeftLung",
            "RightLung",
            "KidneyLeft",
            "leftkidney",
            "kidneyright",
            "LEFTLUNG",
            "LKidney",
            "lkidney",
            "rkid",
        ),
        *("lungL", "lungR", "LungL", "leftOfMidline", "vertebrae_left_L4", "rib_r1"),
        *("OD", "OS", "od", "oculus dexter", "LV", "RV", "lv", "RA", "Heart_LV", "LAD", "RVOT"),
        *("Niere_links", "NiereLinks", "linkeNiere", "Niere li", "lunge_re", "rechtsventrikulär"),
        *(
            "rein gauche",
            "reingauche",
            "reinDroit",
            "riñón derecho",
            "riñónizquierdo",
            "rim_esquerdo",
            "rene_dx",
        ),
        *("左肾", "肾左", "右肺", "pulmo sinister", "polmone destro"),
    ],
)
def test_a_side_is_seen_however_it_is_written(name):
    assert names_side(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "lesion",
            "tumour",
            "brightness",
            "bright",
            "cleft",
            "CleftPalate",
            "lever",
            "Lvl",
            "artery",
            "kidney",
        ),
        *(
            "upright",
            "leftover",
            "linked",
            "crosslinks",
            "endroit",
            "delivery",
            "FLAIR",
            "mL",
            "volume_mL",
            "dL",
        ),
        *(
            "L4",
            "vertebrae_L5",
            "vertebra l1",
            "LI-RADS",
            "LI-RADS 5",
            "relapse",
            "lymph_node",
            "Rectum",
            "os sacrum",
        ),
        *("L4-L5", "re-stent", "dx_date", "la paroi", "GTVp", "肿瘤", "中心"),
    ],
)
def test_words_that_only_look_like_a_side_raise_no_alarm(name):
    assert not names_side(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Liver",
            "liverTumor",
            "livertumour",
            "WholeHeart",
            "gall bladder",
            "gallbladder",
            "vena_cava",
            "portal-vein",
        ),
        *(
            "hepar",
            "Lien",
            "Leber",
            "Leberherd",
            "Milz",
            "Herz",
            "Magen",
            "Bauchspeicheldrüse",
            "foie",
            "rate",
            "cœur",
        ),
        *(
            "coeur",
            "hígado",
            "higado",
            "bazo",
            "corazón",
            "Fígado",
            "fegato",
            "肝脏",
            "脾",
            "心脏",
            "胆囊",
            "hepatic lesion",
        ),
    ],
)
def test_an_organ_of_one_side_is_seen_in_several_languages(name):
    assert is_one_sided(name)


@pytest.mark.parametrize(
    "name",
    [
        "kidney",
        "deliver",
        "delivery",
        "heartwood",
        "lever",
        "magenta",
        "growth rate",
        "中心",
        "肾",
        "lesion",
        "core",
    ],
)
def test_words_that_only_look_like_an_organ_raise_no_alarm(name):
    assert not is_one_sided(name)
