"""The small experiments against what is known of them: closed forms, other ways to compute, repetition."""

from __future__ import annotations

import csv
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.optimize import minimize
from scipy.special import ndtr, ndtri

from latentlab.audit.chart_figure import chart_figure
from latentlab.audit.experiments import (
    auditor_error,
    dilution,
    ill_posed,
    linear_vae,
    majority_collapse,
    noise_is_not_bias,
    sphere_prior,
    training_ratio,
    truncation,
)
from latentlab.audit.experiments.catalog import NAMES, experiment
from latentlab.audit.experiments.code import experiment_code
from latentlab.audit.experiments.experiment import COLUMNS
from latentlab.audit.experiments.save import save_figure_of
from latentlab.errors import SettingsError
from latentlab.metrics.correction import cleam, corrected_shares
from latentlab.session.audit_words import mark_words
from latentlab.training.resampling import effective_size

FEW = {"pictures", "images", "samples", "faces", "restarts"}


def held(low: np.ndarray, truth: float, high: np.ndarray) -> float:
    return float(np.mean((low - 1e-9 <= truth) & (truth <= high + 1e-9)))


# All of them


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_says_what_was_found_and_what_it_does_not_show(name: str):
    one = experiment(name)
    figure = one.figure()
    assert figure.name == one.name == name
    assert figure.values == {given.name: given.default for given in one.parameters}
    assert len(figure.charts) >= 2
    assert all(chart.marks and chart.title for chart in figure.charts)
    assert any("(95%: " in said for said in figure.statements)
    assert figure.not_shown == one.not_shown
    assert all(text.endswith(".") for text in (*figure.statements, one.not_shown, one.about, *one.sources))
    assert one.question.endswith("?")
    assert {tuple(row) for row in figure.rows} == {COLUMNS}
    assert len(figure.rows) == sum(len(chart.marks) for chart in figure.charts)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_draws_the_same_figure_and_another_one_another(name: str):
    one = experiment(name)
    assert one.figure({}, 5) == one.figure({}, 5)
    assert one.figure({}, 5).rows != one.figure({}, 6).rows


@pytest.mark.parametrize("name", NAMES)
def test_every_end_of_every_slider_gives_a_sound_figure(name: str):
    one = experiment(name)
    small = {given.name: given.low for given in one.parameters if given.name in FEW}
    wanted = [{**small, given.name: end} for given in one.parameters for end in (given.low, given.high)]
    wanted.append({given.name: given.low for given in one.parameters})
    wanted.append({given.name: given.high for given in one.parameters if given.name not in FEW} | small)
    for values in wanted:
        figure = one.figure(values, 1)
        for row, unit in zip(
            figure.rows, [chart.unit for chart in figure.charts for _ in chart.marks], strict=True
        ):
            numbers = [row[part] for part in ("low", "value", "high") if row[part] is not None]
            assert all(math.isfinite(number) for number in numbers), (values, row)
            assert numbers == sorted(numbers), (values, row)
            if unit == "share":
                assert all(-1e-9 <= number <= 1.0 + 1e-9 for number in numbers), (values, row)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(
        SettingsError, match="no experiment 'linear'; there are majority-collapse, linear-vae"
    ):
        experiment("linear")
    one = experiment("linear-vae")
    for values, said in (
        ({"shares": 0.1}, "no parameter 'shares'; it has share, distance, spread, noise, images"),
        ({"share": 0.6}, "share of the experiment linear-vae is a number from 0.01 to 0.5, not 0.6"),
        ({"share": math.nan}, "not nan"),
        ({"share": True}, "not True"),
        ({"share": "a tenth"}, "not 'a tenth'"),
        ({"images": 300.5}, "a whole number from 200 to 20000, not 300.5"),
    ):
        with pytest.raises(SettingsError, match=said):
            one.figure(values)
    for seed in (-1, 1 << 32, 0.5, True):
        with pytest.raises(SettingsError, match="The seed is a whole number"):
            one.figure({}, seed)
    assert one.checked({"images": 300.0})["images"] == 300


def test_parameters_are_read_as_people_write_them():
    told = {given.name: given.told(given.default) for given in experiment("linear-vae").parameters}
    assert told == {"share": "10%", "distance": "2", "spread": "0.5", "noise": "1", "images": "10,000"}


# Majority collapse


def test_majority_collapse_has_the_published_numbers():
    right = majority_collapse.right_answers(0.8, 0.5)
    assert right[majority_collapse.GROUP] == pytest.approx((0.188, 0.970), abs=5e-4)
    assert right[majority_collapse.SEARCH][0] == pytest.approx(0.558, abs=5e-4)
    assert majority_collapse.minority_share(right[majority_collapse.GROUP], 0.8) == pytest.approx(
        0.061, abs=5e-4
    )


@pytest.mark.parametrize(("pi", "delta"), [(0.5, 1.0), (0.8, 0.5), (0.95, 1.5), (0.99, 3.0)])
def test_majority_collapse_agrees_with_the_grid_and_posterior_sampling_keeps_the_shares(
    pi: float, delta: float
):
    from latentlab.operations.search_example import grid_answers

    right = majority_collapse.right_answers(pi, delta)
    grid = grid_answers(pi, delta)
    for name, method in zip(majority_collapse.METHODS, ("map_group", "search", "posterior"), strict=True):
        assert right[name] == pytest.approx(grid[method][:2], abs=0.01)
    kept = majority_collapse.minority_share(right[majority_collapse.POSTERIOR], pi)
    assert kept == pytest.approx(1.0 - pi, abs=1e-9)


def test_majority_collapse_counts_what_the_formulas_say():
    one, truth = experiment("majority-collapse"), majority_collapse.right_answers(0.8, 0.5)
    inside = []
    for seed in range(60):
        for mark in one.figure({}, seed).charts[1].marks:
            known = truth[mark.series][("minority", "majority").index(mark.label)]
            inside.append((mark.low or 0.0) <= known <= (mark.high or 1.0))
    assert np.mean(inside) > 0.92


# A linear VAE


def test_a_minority_of_a_tenth_is_missed_by_81_times_as_much():
    minority, majority = linear_vae.squared_biases(0.1, 2.0, 0.5, 1.0)
    assert minority / majority == pytest.approx(81.0)
    assert linear_vae.axis_variance(0.1, 2.0, 0.5) == pytest.approx(0.09 * 4.0 + 0.25)
    for noise in (0.7, 0.3):  # whatever is kept of the axis
        minority, majority = linear_vae.squared_biases(0.25, 3.0, 0.5, noise)
        assert minority / majority == pytest.approx(9.0)


def test_the_axis_is_kept_from_the_share_on_that_the_formula_gives():
    least = linear_vae.least_share(2.0, 0.5, 1.0)
    assert least == pytest.approx(0.25)
    assert linear_vae.kept_of_axis(least - 1e-6, 2.0, 0.5, 1.0) == 0.0
    assert linear_vae.kept_of_axis(least + 1e-6, 2.0, 0.5, 1.0) > 0.0
    assert linear_vae.least_share(2.0, 1.5, 1.0) == 0.0
    assert linear_vae.least_share(1.0, 0.1, 1.0) is None


def test_training_a_linear_vae_ends_where_the_closed_form_says():
    generator = np.random.default_rng(0)
    x = generator.standard_normal((400, 2)) @ np.array([[1.6, 0.4], [0.0, 0.5]])
    noise = 0.7
    best = linear_vae.best_linear_vae(x, noise)
    assert np.count_nonzero(best.kept) == 1  # one axis lies below the noise
    s = np.cov(x, rowvar=False, bias=True)

    def loss(flat: np.ndarray) -> float:
        w, v, log_d = flat[:4].reshape(2, 2), flat[4:8].reshape(2, 2), flat[8:]
        off, d = np.eye(2) - w @ v, np.exp(log_d)
        error = np.trace(off @ s @ off.T) + (d * np.square(w).sum(0)).sum()
        divergence = (d + np.diag(v @ s @ v.T) - 1.0 - log_d).sum()
        return float(error / (2.0 * noise**2) + divergence / 2.0)

    ended = minimize(loss, generator.standard_normal(10) * 0.3, method="BFGS", options={"gtol": 1e-6})
    w, v = ended.x[:4].reshape(2, 2), ended.x[4:8].reshape(2, 2)
    np.testing.assert_allclose(w @ v, best.axes * best.kept @ best.axes.T, atol=2e-3)
    drawn = best.sample(200_000, generator)
    np.testing.assert_allclose(np.cov(drawn, rowvar=False), w @ w.T, atol=0.05)


@pytest.mark.parametrize("values", [{"share": 0.1}, {"share": 0.45}, {"share": 0.2, "distance": 4.0}])
def test_a_linear_vae_reconstructs_groups_as_the_formula_says(values: dict[str, float]):
    one, inside = experiment("linear-vae"), []
    for seed in range(25):
        for row in one.figure(values, seed).rows[:4]:
            inside.append(row["low"] - 1e-9 <= row["reference"] <= row["high"] + 1e-9)
    assert np.mean(inside) > 0.9


def test_at_a_share_of_a_tenth_the_minority_is_gone_and_at_even_shares_it_is_not():
    gone, kept = (linear_vae.survivals(p, 2.0, 0.5, 1.0) for p in (0.1, 0.5))
    assert gone == (0.0, 1.0)
    assert kept[0] == pytest.approx(kept[1])
    assert kept[0] > 0.95


# Truncation


def test_truncation_has_the_known_numbers():
    assert truncation.truncated_share(0.1, 1.0) == pytest.approx(0.1)
    assert truncation.truncated_share(0.1, 0.7) == pytest.approx(0.034, abs=5e-4)
    assert truncation.truncated_share(0.1, 0.5) == pytest.approx(0.005, abs=5e-4)


def test_truncated_samples_are_counted_as_the_formula_says():
    marks = [experiment("truncation").figure({}, seed).rows[1] for seed in range(80)]
    low, high = (np.array([row[end] for row in marks]) for end in ("low", "high"))
    assert held(low, truncation.truncated_share(0.1, 0.7), high) > 0.88


# The auditor's errors


def test_the_auditors_intervals_are_those_of_the_program():
    generator = np.random.default_rng(3)
    for validation in (20, 200):
        seen = generator.binomial(500, 0.3, 40)
        hits, passes = generator.binomial(validation, 0.7, 40), generator.binomial(validation, 0.6, 40)
        found = auditor_error.intervals_of(seen, 500, hits, passes, validation)
        refused = 0
        for k in range(40):
            counts = [int(seen[k]), int(500 - seen[k])]
            confusion = [[hits[k], validation - hits[k]], [validation - passes[k], passes[k]]]
            delta = corrected_shares(counts, confusion)[0]
            for name, one in ((auditor_error.CLEAM, cleam(counts, confusion)), (auditor_error.DELTA, delta)):
                ours = [float(part[k]) for part in found[name]]
                refused += one.share is None
                wanted = (one.share, one.low, one.high) if one.share is not None else (math.nan,) * 3
                np.testing.assert_allclose(ours, wanted, atol=1e-12)
        assert refused > 0 if validation == 20 else refused < 40


def test_counting_is_biased_cleam_is_not_and_only_the_delta_method_covers():
    values = {"sensitivity": 0.95, "specificity": 0.9, "validation": 100}
    figure = experiment("auditor-error").figure(values)
    means = {mark.label: mark for mark in figure.charts[1].marks}
    assert auditor_error.counted_share(0.1, 0.9, 0.95) == pytest.approx(0.135)
    assert means[auditor_error.NAIVE].value == pytest.approx(0.185, abs=0.001)
    cleam_mean = means[auditor_error.CLEAM]
    assert abs(cleam_mean.value - 0.1) < 0.005
    coverage = {(mark.label, mark.series): mark.value for mark in figure.charts[2].marks}
    assert coverage["100", auditor_error.CLEAM] == pytest.approx(0.38, abs=0.05)  # published: .37 to .39
    assert coverage["3000", auditor_error.CLEAM] == pytest.approx(0.9, abs=0.04)  # .89 to .90
    assert coverage["100", auditor_error.DELTA] > 0.9
    assert coverage["3000", auditor_error.DELTA] == pytest.approx(0.95, abs=0.03)


def test_no_correction_helps_an_auditor_who_drifts():
    figure = experiment("auditor-error").figure({"drift": 0.1, "validation": 1000})
    coverage = {(mark.label, mark.series): mark.value for mark in figure.charts[2].marks}
    assert coverage["3000", auditor_error.DELTA] < 0.1
    assert any("no interval that rests on those is honest" in said for said in figure.statements)


def test_an_auditor_who_guesses_is_not_corrected():
    figure = experiment("auditor-error").figure({"sensitivity": 0.5, "specificity": 0.5, "validation": 5000})
    assert [mark.value is None for mark in figure.charts[0].marks] == [False, True, True]
    assert [mark.label for mark in figure.charts[1].marks] == [auditor_error.NAIVE]
    assert any("errs too often" in said for said in figure.statements)


# Dilution


def test_the_max_rule_is_diluted_as_known_and_the_product_draws_a_few():
    shares = {}
    for latents in (2, 10, 100):
        mu, decision, minority = dilution.draw_faces(5000, latents, 0.05, 4.0, np.random.default_rng(latents))
        p = dilution.RULES[dilution.MAX](mu, decision, 0.001)
        shares[latents] = p[minority].sum()
        assert p.sum() == pytest.approx(1.0)
    assert shares[2] == pytest.approx(0.23, abs=0.02)
    assert shares[10] == pytest.approx(0.098, abs=0.015)
    assert shares[100] == pytest.approx(0.053, abs=0.012)
    assert effective_size(dilution.RULES[dilution.PRODUCT](mu, decision, 0.001)) < 20
    informative = dilution.RULES[dilution.INFORMATIVE](mu, decision, 0.001)
    assert informative[minority].sum() > 0.2
    assert effective_size(informative) > 1000


def test_without_a_distance_no_rule_finds_the_minority():
    figure = experiment("dilution").figure({"distance": 0.0, "latents": 2, "share": 0.3})
    shares = {row["label"]: row["value"] for row in figure.rows if row["chart"] == "share"}
    assert shares[dilution.MAX] == pytest.approx(0.3, abs=0.08)


# Training ratio


def test_samples_are_even_where_the_formula_says():
    for spread in (0.5, 1.0, 2.0):
        ratio = training_ratio.even_ratio(spread)
        assert training_ratio.sampled_share(ratio, 6.0, spread) == pytest.approx(0.5)
        if spread != 1.0:
            assert abs(training_ratio.sampled_share(0.5, 6.0, spread) - 0.5) > 0.05


def test_trained_vaes_sample_as_the_formula_says():
    values = {"images": 5000, "distance": 6.0, "spread": 2.0, "samples": 10_000}
    generator = np.random.default_rng(0)
    for ratio in (0.1, 0.5, 0.9):
        found = np.mean([training_ratio.train_and_count(ratio, values, generator) for _ in range(20)])
        assert found == pytest.approx(training_ratio.sampled_share(ratio, 6.0, 2.0), abs=0.004)


def test_the_interval_of_several_trainings_covers_and_that_of_one_does_not():
    one, together, alone = experiment("training-ratio"), [], []
    for seed in range(40):
        marks = one.figure({"images": 100, "samples": 10_000}, seed).charts[1].marks
        inside = [mark.low <= 0.0 <= mark.high for mark in marks]
        together.append(inside[-1])
        alone += inside[:-1]
    assert np.mean(together) > 0.88
    assert np.mean(alone) < 0.75


# Noise is not bias


def test_the_four_fifths_rule_alarms_as_often_as_known():
    rates = noise_is_not_bias.true_rates(14, 0.8, 0.0)
    for n, known in ((20, 0.98), (50, 0.585), (100, 0.09)):
        assert noise_is_not_bias.alarm_probability(rates, n) == pytest.approx(known, abs=0.006)


@pytest.mark.parametrize(
    ("groups", "rate", "gap", "n"), [(5, 0.6, 0.2, 30), (3, 0.05, 0.05, 10), (14, 0.8, 0.0, 50)]
)
def test_the_alarm_formula_agrees_with_audits(groups: int, rate: float, gap: float, n: int):
    rates = noise_is_not_bias.true_rates(groups, rate, gap)
    counts = np.random.default_rng(1).binomial(n, rates, (40_000, groups))
    alarms = np.mean(5 * counts.min(1) < 4 * counts.max(1))
    assert noise_is_not_bias.alarm_probability(rates, n) == pytest.approx(alarms, abs=0.01)


def test_the_test_of_all_groups_keeps_its_level_and_finds_a_gap():
    generator = np.random.default_rng(2)
    even = generator.binomial(100, 0.8, (5000, 14)).astype(float)
    assert np.mean(noise_is_not_bias.chi_square_p(even, 100) <= 0.05) == pytest.approx(0.05, abs=0.012)
    apart = generator.binomial(100, noise_is_not_bias.true_rates(14, 0.8, 0.3), (500, 14)).astype(float)
    assert np.mean(noise_is_not_bias.chi_square_p(apart, 100) <= 0.05) > 0.95
    assert noise_is_not_bias.chi_square_p(np.full((1, 3), 100.0), 100) == 1.0


# The sphere


def test_lengths_are_those_of_a_normal_vector():
    generator = np.random.default_rng(0)
    for d in (2, 64):
        lengths = np.linalg.norm(generator.standard_normal((50_000, d)), axis=1)
        assert sphere_prior.mean_length(d) == pytest.approx(lengths.mean(), abs=0.02)
        assert sphere_prior.share_within(0.9, d) == pytest.approx(
            np.mean(lengths <= 0.9 * math.sqrt(d)), abs=0.01
        )


@pytest.mark.parametrize(("d", "k", "noise"), [(16, 4, 0.5), (16, 16, 0.5), (4, 3, 3.0), (8, 0, 1.0)])
def test_the_spheres_answer_is_the_nearest_on_the_sphere(d: int, k: int, noise: float):
    generator = np.random.default_rng(4)
    y = generator.standard_normal((50, k)) * (1.0 + noise)
    answer = sphere_prior.answers(y, d, noise, generator)[sphere_prior.SPHERE]
    np.testing.assert_allclose(np.linalg.norm(answer, axis=1), math.sqrt(d))
    off = np.square(answer[:, :k] - y).sum(1)
    for _ in range(200):  # no other point is nearer
        other = generator.standard_normal((50, d)) * 0.3 + answer
        other *= math.sqrt(d) / np.linalg.norm(other, axis=1, keepdims=True)
        assert (np.square(other[:, :k] - y).sum(1) >= off - 1e-9).all()


def test_the_sphere_keeps_an_unseen_minority_and_the_l2_prior_never_does():
    p, noise, d, k, n = 0.1, 0.5, 256, 64, 4000
    generator, t = np.random.default_rng(5), -ndtri(0.1)
    y = generator.standard_normal((n, k)) + noise * generator.standard_normal((n, k))
    found = sphere_prior.answers(y, d, noise, generator)
    unseen = {name: float(np.mean(z[:, k:] > t)) for name, z in found.items()}
    assert unseen[sphere_prior.L2] == 0.0
    assert unseen[sphere_prior.SPHERE] == pytest.approx(p, abs=0.01)
    assert unseen[sphere_prior.POSTERIOR] == pytest.approx(p, abs=0.002)
    seen = {name: float(np.mean(z[:, :k] > t)) for name, z in found.items()}
    for name in sphere_prior.METHODS:
        assert seen[name] == pytest.approx(sphere_prior.seen_share(name, p, noise), abs=0.004)


# Ill-posed


@pytest.mark.parametrize("minority", [True, False])
def test_the_posterior_of_the_group_is_that_of_brute_force(minority: bool):
    generator = np.random.default_rng(6)
    how = ill_posed.observed(1, 0.3, 100.0, 10.0)
    _, _, y = ill_posed.draw_picture(how, minority, generator)
    z, w = generator.standard_normal(400_000), generator.standard_normal((400_000, 64))
    off = w @ how.b.T + how.mark(z)[:, None] * how.v - y
    weights = np.exp(-0.5 * np.square(off).sum(1) / how.noise**2)
    brute = weights[z > how.t].sum() / weights.sum()
    assert ill_posed.minority_posterior(how, y)[0] == pytest.approx(brute, abs=0.01)


def test_draws_of_the_posterior_have_its_group_mean_and_covariance():
    generator = np.random.default_rng(7)
    how = ill_posed.observed(3, 0.3, 80.0, 6.0)
    _, _, y = ill_posed.draw_picture(how, True, generator)
    z, w = ill_posed.draw_posterior(how, y, 40_000, generator)
    probability = ill_posed.minority_posterior(how, y)[0]
    assert np.mean(z > how.t) == pytest.approx(probability, abs=0.01)
    centred = w - (y - how.mark(z)[:, None] * how.v) @ how.c_inverse @ how.b
    np.testing.assert_allclose(centred.mean(0), 0.0, atol=0.03)
    known = np.eye(64) - how.b.T @ how.c_inverse @ how.b
    np.testing.assert_allclose(np.cov(centred, rowvar=False), known, atol=0.04)


def test_what_is_seen_is_taken_apart_rightly():
    for side in (1, 3, 4, 8):
        how = ill_posed.observed(side, 0.2, 50.0, 5.0)
        whole = how.b @ how.b.T + 25.0 * np.eye(side**2)
        np.testing.assert_allclose(how.c_inverse @ whole, np.eye(side**2), atol=1e-8)
        latents, pixels = ill_posed.determined(side, 5.0)
        assert latents == pytest.approx(np.trace(how.b.T @ how.c_inverse @ how.b) / 64)
        assert latents <= side**2 / 64 + 1e-12
        assert latents < pixels
        apart = ill_posed.told_apart(side, 50.0, 5.0)
        assert apart == pytest.approx(float(ndtr(math.sqrt(how.v @ how.c_inverse @ how.v))))
    np.testing.assert_allclose(ill_posed.area_average(3).sum(1), 1.0)


def test_two_strangers_are_as_far_apart_as_said():
    generator, contrast = np.random.default_rng(8), 100.0
    how = ill_posed.observed(1, 0.3, contrast, 4.0)
    x = generator.standard_normal((4000, 64)) @ ill_posed.basis().T
    x += how.mark(generator.standard_normal(4000))[:, None] * contrast * ill_posed.marks()
    apart = math.sqrt(np.square(x[::2] - x[1::2]).mean())
    assert ill_posed.strangers(how, contrast) == pytest.approx(apart, rel=0.03)


def test_restarts_fit_what_is_seen_but_their_mix_is_not_the_posterior():
    how, search, draws, away = ill_posed.observed(4, 0.2, 80.0, 4.0), [], [], []
    generator = np.random.default_rng(9)
    for k in range(20):
        y = ill_posed.draw_picture(how, k % 2 == 0, generator)[2]
        known = ill_posed.minority_posterior(how, y)[0]
        found_z, found_w = ill_posed.search(how, y, 60, generator)
        missed = found_w @ how.b.T + how.mark(found_z)[:, None] * how.v - y
        away.append(np.sqrt(np.square(missed).mean(1)))
        search.append(abs(np.mean(found_z > how.t) - known))
        draws.append(abs(np.mean(ill_posed.draw_posterior(how, y, 60, generator)[0] > how.t) - known))
    assert np.mean(np.concatenate(away) < how.noise) > 0.9
    assert np.mean(draws) < 0.06
    assert np.mean(search) > 1.8 * np.mean(draws)


# Charts and files


def test_a_logarithmic_axis_sets_equal_ratios_equally_apart():
    chart = next(one for one in experiment("dilution").figure().charts if one.log)
    axes = chart_figure(chart).axes[0]
    places = dict(zip([text.get_text() for text in axes.get_xticklabels()], axes.get_xticks(), strict=True))
    assert places["10"] - places["1"] == pytest.approx(places["100"] - places["10"])
    plain = chart_figure(replace(chart, log=False)).axes[0]
    assert list(plain.get_xticks()) == [float(label) for label in chart.labels]


def test_a_figure_is_saved_in_every_format_and_its_program_draws_it_again(tmp_path: Path):
    figure = experiment("truncation").figure({"share": 0.2, "truncation": 0.6}, 3)
    for ending in ("png", "svg", "pdf", "csv", "py"):
        save_figure_of(tmp_path / f"first.{ending}", figure)
    with Image.open(tmp_path / "first.png") as picture:
        assert min(picture.size) > 500
    assert "<svg" in (tmp_path / "first.svg").read_text(encoding="utf-8")
    assert (tmp_path / "first.pdf").read_bytes().startswith(b"%PDF")
    with (tmp_path / "first.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [float(row["value"]) for row in rows] == pytest.approx(
        [row["value"] for row in figure.rows], rel=1e-5
    )
    assert (tmp_path / "first.py").read_text(encoding="utf-8") == experiment_code(
        "truncation", {"share": 0.2, "truncation": 0.6}, 3
    )
    done = subprocess.run(
        [sys.executable, "first.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:-1] == list(figure.statements)
    assert (tmp_path / "truncation.csv").read_bytes() == (tmp_path / "first.csv").read_bytes()
    assert (tmp_path / "truncation.png").read_bytes() == (tmp_path / "first.png").read_bytes()


def test_a_mark_is_told_with_what_was_counted_and_a_formula_without():
    share, _, along = experiment("majority-collapse").figure().charts
    assert "; 1,000 pictures" in mark_words(share, share.marks[0])[1]
    assert mark_words(along, along.marks[0])[1:] == ["0.7%", "by the formula"]


def test_a_figure_cannot_be_saved_as_anything_else(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"ending \.doc; a figure is saved as \.png, \.svg or \.pdf"):
        save_figure_of(tmp_path / "first.doc", experiment("truncation").figure())
