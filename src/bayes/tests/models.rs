//! Does the model say what the chain says, and is it the one that was kept?

use super::*;

#[test]
fn the_model_says_what_the_chain_says() {
    let data = data();
    for (method, with_groups) in [
        (Method::Variational, false),
        (Method::Variational, true),
        (Method::Samples(1), false),
        (Method::Samples(1), true),
    ] {
        let config = config(method, with_groups)
            .clip(crate::training::ClipRule::None)
            .epochs(9);
        let trainer = config
            .clone()
            .check()
            .unwrap()
            .trainer::<f32>(&data, None)
            .unwrap();
        let mut inference = Inference::new(trainer).unwrap();
        inference.run(&mut ());
        let pool = Pool::new(1);
        let mut same = chain(&data, &config, &pool);
        for _ in 0..9 {
            same.sweep(Kernel::Portable, &pool);
        }
        let model = inference.into_model_alone().unwrap();
        // One more than there are is a stranger.
        for u in 0..=N_USERS {
            for i in 0..=N_ITEMS {
                let known = |row: u32, n: usize| Some(row).filter(|&row| (row as usize) < n);
                let got = model.predict_rows(known(u, data.n_users()), known(i, data.n_items()));
                let wanted = same.score(u, i);
                // Scores near 3 from sums of a few dozen f32.
                assert!(
                    (f64::from(got.value) - wanted).abs() < 5e-6,
                    "{method:?} {u} {i}: {} {wanted}",
                    got.value
                );
                assert!(got.std.is_some_and(|std| std > 0.0));
            }
        }
    }
}

#[test]
fn an_average_of_samples_is_the_average_of_their_models() {
    let data = data();
    let n = 4;
    let fit = |config: Config| config.check().unwrap().fit(&data, None, &mut ()).unwrap();
    let base = config(Method::Samples(n), true).clip(crate::training::ClipRule::None);
    let averaged = fit(base.clone().epochs(34));
    let single = |last: usize| fit(base.clone().method(Method::Samples(1)).epochs(last));
    let singles: Vec<Model> = (31..=34).map(single).collect();
    for u in 0..N_USERS - 1 {
        for i in 0..N_ITEMS {
            let scores: Vec<f64> = singles
                .iter()
                .map(|m| f64::from(m.predict_rows(Some(u), Some(i)).value))
                .collect();
            let mean = scores.iter().sum::<f64>() / n as f64;
            let got = averaged.predict_rows(Some(u), Some(i));
            assert!(
                (f64::from(got.value) - mean).abs() < 1e-5,
                "{} {mean}",
                got.value
            );
            if averaged.items.counts[i as usize] > 0 {
                let between =
                    scores.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n as f64;
                let noise = averaged.posterior.as_ref().unwrap().noise();
                let wanted = (between + noise * noise).sqrt();
                assert!(
                    (f64::from(got.std.unwrap()) / wanted - 1.0).abs() < 1e-4,
                    "{:?} {wanted}",
                    got.std
                );
            }
        }
    }
}

#[test]
fn held_out_ratings_choose_the_sweep() {
    let data = data();
    let halves = data.split(&Split::random(0.2, 1)).unwrap();
    let config = config(Method::Variational, true).epochs(12);
    let trainer = config.clone().check().unwrap();
    let trainer = trainer
        .trainer::<f32>(&halves.train, Some(&halves.valid.interactions))
        .unwrap();
    let mut inference = Inference::new(trainer).unwrap();
    let mut errors = Vec::new();
    let finish = inference.run(&mut |event: &crate::training::Event| {
        if let crate::training::Event::EpochEnded(epoch) = event {
            errors.push(epoch.valid.unwrap().errors().unwrap().rmse());
        }
        std::ops::ControlFlow::Continue(())
    });
    let best = errors.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(finish.valid.unwrap().errors().unwrap().rmse(), best);
    assert_eq!(errors[finish.kept - 1], best);
    let model = inference.into_model_alone().unwrap();
    let report =
        crate::evaluation::evaluate(&model, &halves.valid.interactions, &Pool::new(1)).unwrap();
    // The model's f32 against the chain's f64.
    assert!(
        (report.model.rmse - best).abs() < 1e-5,
        "{} {best}",
        report.model.rmse
    );
}

#[test]
fn held_out_ratings_judge_the_average_so_far() {
    let data = data();
    let halves = data.split(&Split::random(0.2, 1)).unwrap();
    let checked = config(Method::Samples(6), false).check().unwrap();
    let valid = &halves.valid.interactions;
    let trainer = checked.trainer::<f32>(&halves.train, Some(valid)).unwrap();
    let mut inference = Inference::new(trainer).unwrap();
    let mut last = f64::NAN;
    inference.run(&mut |event: &crate::training::Event| {
        if let crate::training::Event::EpochEnded(epoch) = event {
            last = epoch.valid.unwrap().errors().unwrap().rmse();
        }
        std::ops::ControlFlow::Continue(())
    });
    let model = inference.into_model_alone().unwrap();
    let report = crate::evaluation::evaluate(&model, valid, &Pool::new(1)).unwrap();
    // The model's f32 against the chain's f64.
    assert!((report.model.rmse - last).abs() < 1e-5, "{last}");
}

#[test]
fn tables_that_have_run_away_are_found_again_as_they_were() {
    let data = data();
    let config = config(Method::Variational, true).epochs(9);
    let trainer = config.clone().check().unwrap();
    let trainer = trainer.trainer::<f32>(&data, None).unwrap();
    let mut inference = Inference::new(trainer).unwrap();
    for _ in 0..4 {
        inference.chain.sweep(Kernel::Portable, &Pool::new(1));
    }
    let good = inference.chain.items.composed().to_vec();
    inference.chain.noise = f64::NAN;
    let finish = inference.run(&mut ());
    let crate::training::Ending::Diverged(error) = finish.ending else {
        panic!("{:?}", finish.ending);
    };
    assert!(error.to_string().contains("epoch 5"), "{error}");
    assert_eq!(finish.epochs, 4);
    assert_eq!(inference.chain.items.composed(), good);
    inference.into_model_alone().unwrap();
}
