from isocenter.loading.dataset import dataset


def test_it_is_a_sequence(store):
    data = dataset(store, "train", patch=4, framework="numpy")
    assert [s["case"] for s in data] == data.samples.selection.ids.tolist()
    assert len(data) == 4
