use super::*;
use crate::Kind;
use crate::data::Csr;
use crate::model::{Measure, Profile, example};

/// The example with what training saw of its genres, and a group of years: 1960 to 2010, one row (0, ½) a deviation.
fn model() -> Model {
    let mut model = example::model();
    let items = &mut model.items;
    let mut years = items.groups[0].clone();
    let column = &items.catalog.columns[1];
    let measure = Measure::Standard {
        mean: 1987.0,
        deviation: 20.0,
    };
    years.name = "year".into();
    years.values = measure.names();
    let mut row = items.groups[0].table.padded_row(1).to_vec();
    row[1] = 0.5;
    years.table = Rows::from_padded(1, 2, row).unwrap();
    years.counts = vec![7];
    years.features = Features::of_column(column, &years.values, Some(&measure), years.bag);
    items.groups.push(years);
    for group in &mut items.groups {
        let column = items.catalog.column(&group.name).unwrap();
        group.profile = Some(Profile::of(column, &group.values, &items.counts));
    }
    items.compose(Similarity::Dot);
    model
}

/// What the example's own items are.
const OWN: [(&str, [&str; 2]); 4] = [
    ("m1", ["Action|Sci-Fi", "1999"]),
    ("m2", ["Sci-Fi", "2010"]),
    ("m3", ["Horror|Sci-Fi", "1979"]),
    ("m4", ["Horror", "1960"]),
];

fn table(rows: &[(&str, [&str; 2])]) -> SideTable {
    SideTable::from_rows("fresh.csv", ["genres", "year"], rows.iter().copied()).unwrap()
}

fn found(table: &SideTable) -> Vec<(SkewKind, usize)> {
    let fresh = model().with_items(table, OnSkew::Report).unwrap();
    fresh.skew.iter().map(|s| (s.kind, s.rows)).collect()
}

#[test]
fn the_table_of_training_changes_no_bit() {
    let model = model();
    let mut turned = OWN;
    turned.reverse();
    for rows in [OWN, turned] {
        let fresh = model.with_items(&table(&rows), OnSkew::Error).unwrap();
        let figures = (fresh.known, fresh.changed, fresh.added, fresh.unplaced);
        assert_eq!(figures, (4, 0, 0, 0));
        assert_eq!(fresh.model, model);
    }
    let columns = SideTable::from_rows(
        "other order.csv",
        ["more", "year", "genres"],
        OWN.map(|(id, [genres, year])| (id, ["x", year, genres])),
    );
    let fresh = model.with_items(&columns.unwrap(), OnSkew::Error).unwrap();
    assert_eq!(fresh.model, model);
}

#[test]
fn rows_are_their_own_with_the_features_of_the_table_or_its_features_alone() {
    let model = model();
    let rows = [
        ("m1", ["Horror", "1987"]),
        ("new", ["Action|Western", "2007"]),
        ("nothing", ["Western", ""]),
    ];
    let fresh = model.with_items(&table(&rows), OnSkew::Usual).unwrap();
    let figures = (fresh.known, fresh.changed, fresh.added, fresh.unplaced);
    assert_eq!(figures, (1, 1, 1, 1));
    let predict = |model: &Model, item| model.predict("ann", item).unwrap();
    // m1: q (1, 0), Horror (−½, 0), year 0 deviations: 3½ + ½.
    assert_eq!(predict(&fresh.model, "m1").value, 4.0);
    // Action's half of (½, 0), Western's left out, one deviation of (0, ½): (¼, ½), no bias.
    let new = predict(&fresh.model, "new");
    assert_eq!((new.value, new.kind), (3.75, Kind::Full));
    let with = [("genres", "Action"), ("year", "2007")];
    assert_eq!(
        model.predict_with("ann", "new", &with).unwrap().value,
        4.0,
        "what if it had Action alone"
    );
    let nothing = predict(&fresh.model, "nothing");
    assert_eq!(nothing, predict(&model, "nothing"));
    assert_eq!(nothing.kind, Kind::UserOnly);
    for item in ["m2", "m3", "m4"] {
        assert_eq!(predict(&fresh.model, item), predict(&model, item));
    }
    // It is recommended, and found by its cells.
    let query = crate::Query::user("bob").having("genres", "Western");
    let list = fresh.model.recommend(&query).unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!((&*list[0].item, &*list[0].genres[1]), ("new", "Western"));
    let fingerprint = |model: &Model| model.schema().unwrap().fingerprint();
    assert_eq!(fingerprint(&fresh.model), fingerprint(&model));
    let bytes = fresh.model.to_bytes().unwrap();
    assert_eq!(Model::from_bytes(&bytes).unwrap(), fresh.model);
}

#[test]
fn a_user_by_features_alone_is_as_uncertain_as_an_unknown_one() {
    let mut model = example::with_variances();
    let mut jobs = model.items.groups[0].clone();
    jobs.name = "job".into();
    jobs.values = ["nurse", "smith"].into_iter().collect();
    let column = Column {
        name: "job".into(),
        values: jobs.values.clone(),
        rows: Csr::from_rows([vec![0], vec![1], vec![], vec![1]]),
        multi_valued: false,
    };
    jobs.profile = Some(Profile::of(&column, &jobs.values, &model.users.counts));
    jobs.features = Features::of_column(&column, &jobs.values, None, jobs.bag);
    model.users.catalog.columns.push(column);
    model.users.groups.push(jobs);
    model.users.compose(Similarity::Dot);
    let table = SideTable::from_rows("u", ["job"], [("you", ["nurse"]), ("ann", ["nurse"])]);
    let fresh = model.with_users(&table.unwrap(), OnSkew::Error).unwrap();
    assert_eq!((fresh.added, fresh.changed), (1, 0));
    let new = fresh.model.predict("you", "m2").unwrap();
    let unknown = model.predict("you", "m2").unwrap();
    assert_eq!((new.kind, unknown.kind), (Kind::Full, Kind::ItemOnly));
    // Q is (0, 1½), nurse (½, 0): v_p (2, 1 | ½) adds 1·1½² + ½, and P²·v_q nothing, for m2 is certain.
    let wanted = (2.25f32 + 0.5 + 0.25).sqrt();
    assert!((new.std.unwrap() - wanted).abs() < 1e-6, "{new:?}");
    assert_eq!(fresh.model.seen(4), [0; 0]);
    let list = fresh.model.recommend(&crate::Query::user("you")).unwrap();
    assert_eq!(list.len(), 4);
}

#[test]
fn each_difference_is_found_with_its_rows() {
    use SkewKind::*;
    let with = |change: fn(&mut [(&'static str, [&'static str; 2]); 4])| {
        let mut rows = OWN;
        change(&mut rows);
        found(&table(&rows))
    };
    assert_eq!(with(|_| ()), []);
    assert_eq!(with(|r| r[0].1[0] = "Western|Action"), [(Unknown, 1)]);
    assert_eq!(with(|r| r[2].1[1] = "soon"), [(NoNumber, 1)]);
    assert_eq!(with(|r| r[2].1[1] = "1979|1980"), [(Several, 1)]);
    assert_eq!(with(|r| r[2].1[1] = ""), [(Empty, 1)]);
    assert_eq!(
        with(|r| {
            for (row, code) in r.iter_mut().zip(["1|2", "2", "3|2", "3"]) {
                row.1[0] = code;
            }
        }),
        [(Retyped, 4)]
    );
    assert_eq!(
        with(|r| {
            for (row, seconds) in r.iter_mut().zip(["915e6", "1262e6", "284e6", "-315e6"]) {
                row.1[1] = seconds;
            }
        }),
        [(Units, 4)],
        "seconds since 1970"
    );
    assert_eq!(
        with(|r| {
            for (row, years) in r.iter_mut().zip(["99", "110", "79", "60"]) {
                row.1[1] = years;
            }
        }),
        [(Units, 4)],
        "years since 1900"
    );
    // A new film is neither.
    let mut new = OWN.to_vec();
    new.push(("new", ["Horror", "2026"]));
    assert_eq!(found(&table(&new)), []);
    new[4].1[1] = "20260101";
    assert_eq!(found(&table(&new)), [(Elsewhere, 5)], "one of five");
    assert_eq!(found(&table(&new[4..])), [(Units, 1)], "all there are");
    // Ten films of one year are not like training, and nothing is wrong with them.
    let ids: Vec<String> = (0..10).map(|n| format!("n{n}")).collect();
    let films: Vec<_> = ids.iter().map(|id| (&**id, ["Horror", "2026"])).collect();
    assert_eq!(found(&table(&films)), [(Elsewhere, 10)]);
    assert_eq!(found(&table(&films[..3])), [], "three may well be so");
}

/// Where what is known says more than where the numbers lie: 37 of 0 to 100 in place of 0.37.
#[test]
fn numbers_that_all_became_a_hundredth_are_noticed_by_the_rows_that_the_model_has() {
    let mut model = model();
    let shares = ["0", "40", "70", "100"];
    let column = Column {
        name: "year".into(),
        values: shares.into_iter().collect(),
        rows: Csr::from_rows([[0], [1], [2], [3]]),
        multi_valued: false,
    };
    let years = &mut model.items.groups[1];
    let measure = Measure::Standard {
        mean: 50.0,
        deviation: 40.0,
    };
    years.values = measure.names();
    years.profile = Some(Profile::of(&column, &years.values, &model.items.counts));
    model.items.catalog.columns[1] = column;
    let rows = |shares: [&'static str; 4]| {
        let mut rows = OWN;
        rows.iter_mut()
            .zip(shares)
            .for_each(|(row, x)| row.1[1] = x);
        let fresh = model.with_items(&table(&rows), OnSkew::Report).unwrap();
        fresh.skew.first().map(|skew| (skew.kind, skew.got.clone()))
    };
    assert_eq!(rows(shares), None);
    let (kind, got) = rows(["0", "0.4", "0.7", "1"]).unwrap();
    assert_eq!(kind, SkewKind::Units);
    assert!(got.contains("0.0100 times"), "{got}");
    let (kind, _) = rows(["0", "95", "150", "199"]).unwrap();
    assert_eq!(kind, SkewKind::Elsewhere, "twice and more");
    assert_eq!(rows(["0", "40", "70", "1"]), None, "one of them");
}

#[test]
fn a_column_under_another_name_is_guessed_by_name_or_values() {
    let of = |columns: [&str; 2]| {
        let table = SideTable::from_rows("fresh.csv", columns, OWN).unwrap();
        model()
            .with_items(&table, OnSkew::Usual)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        of(["genre", "year"]),
        "fresh.csv: got no column \"genres\", wanted the column \"genres\", which training had (did you mean \"genre\"?); \
         --on-skew report takes it as it is"
    );
    let both = of(["kinds", "released"]);
    for said in [
        "did you mean \"kinds\", which has alike values?",
        "did you mean \"released\", which has alike values?",
    ] {
        assert!(both.contains(said), "{both}");
    }
    // What is not there leaves rows as they are.
    let rows = OWN.map(|(id, [genres, _])| (id, [genres]));
    let table = SideTable::from_rows("fresh.csv", ["genres"], rows).unwrap();
    let fresh = model().with_items(&table, OnSkew::Report).unwrap();
    assert_eq!((fresh.skew.len(), fresh.changed), (1, 0));
    assert_eq!(fresh.model, model());
}

#[test]
fn a_policy_refuses_what_it_says() {
    let unknown = table(&[("m1", ["Western|Action", "1999"])]);
    let text = table(&[("m1", ["Action", "soon"])]);
    let refuses = |policy, table: &SideTable| model().with_items(table, policy).is_err();
    assert_eq!(
        [OnSkew::Usual, OnSkew::Error, OnSkew::Report].map(|p| refuses(p, &unknown)),
        [false, true, false]
    );
    assert_eq!(
        [OnSkew::Usual, OnSkew::Error, OnSkew::Report].map(|p| refuses(p, &text)),
        [true, true, false]
    );
    let error = example::model().with_items(&unknown, OnSkew::Report);
    assert!(matches!(error, Err(Error::Config { .. })));
}
