fn main() {
    use lowrank::data::*;
    use lowrank::training::*;
    use std::sync::Arc;
    let mut s = lowrank::random::Stream::new(1, "bench");
    let (nu, ni, n) = (6040usize, 3700usize, 1_000_000usize);
    let mut it = Interactions::default();
    for _ in 0..n {
        let u = (s.uniform() * s.uniform() * nu as f64) as u32;
        let i = (s.uniform() * s.uniform() * ni as f64) as u32;
        it.users.push(u);
        it.items.push(i);
        it.ratings.push((1 + s.below(5)) as f32);
    }
    let genre = Column {
        name: "genre".into(),
        values: (0..18).map(|g| g.to_string()).collect(),
        rows: Csr::from_rows((0..ni).map(|i| [(i % 18) as u32])),
        multi_valued: false,
    };
    let d = Dataset {
        users: Arc::new(SideData {
            ids: (0..nu).map(|x| x.to_string()).collect(),
            catalog: Catalog::default(),
        }),
        items: Arc::new(SideData {
            ids: (0..ni).map(|x| x.to_string()).collect(),
            catalog: Catalog {
                titles: None,
                columns: vec![genre],
            },
        }),
        interactions: it,
        ..Dataset::default()
    };
    for k in [8, 16, 32, 64] {
        for threads in [1, 2] {
            for kernel in [KernelChoice::Auto, KernelChoice::Portable] {
                let c = Config::notebook()
                    .n_factors(k)
                    .threads(threads)
                    .kernel(kernel)
                    .epochs(40)
                    .check()
                    .unwrap();
                let mut t = c.trainer::<f32>(&d, None).unwrap();
                let t0 = std::time::Instant::now();
                t.run(&mut ());
                let e = t0.elapsed().as_secs_f64() / 40.0;
                eprintln!(
                    "k {k} threads {threads} {kernel:?}: {:.2} ms/epoch {:.1} M/s",
                    e * 1e3,
                    n as f64 / e / 1e6
                );
            }
        }
    }
}
