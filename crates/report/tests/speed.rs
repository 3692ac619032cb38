//! scratch
mod recordings;
use oprof_profile::*;
use oprof_report::render::*;
use oprof_report::*;
#[test]
fn speed() {
    for (keys, syms) in [(10_000u64, 500u64), (100_000, 3000)] {
        let mut b = recordings::Builder::new([recordings::cpu_clock()]);
        let imgs: Vec<_> = (0..200).map(|i| b.image(&format!("/usr/lib/lib{i}.so"))).collect();
        let procs: Vec<_> = (0..1000).map(|i| b.process(Process { pid: i, app: Some(imgs[(i % 200) as usize]), arguments: vec!["cc1".into(), "-o".into(), format!("x{i}.o")], event_totals: vec![1000000 + i as u64], ..Process::default() })).collect();
        for k in 0..keys {
            let img = imgs[(k * 7 % 200) as usize];
            let names = &mut b.recording.names[img.0 as usize];
            if names.symbols.len() < (syms / 200 + 2) as usize { names.symbols.push(Symbol { name: format!("some_ordinary_function_name_{k}"), mangled: None, address: ImageAddress(k), size: 1 }); }
            let off = ImageOffset(names.offsets.len() as u64);
            let n = names.symbols.len() as u64;
            names.offsets.push((off, Ok(SymbolId((k % n) as u32))));
            b.sample(procs[(k % 1000) as usize], img, off, 0, 1 + k % 199, 1_000_000);
        }
        let r = b.recording;
        for by in By::ALL {
            let t = std::time::Instant::now();
            let rep = Report::new(&r, by, ClassOrder::AsAsked, &Options::default());
            let t1 = t.elapsed();
            let mut o = Vec::new();
            table(&rep, Look::default(), &mut o).unwrap();
            let t2 = t.elapsed() - t1;
            let t = std::time::Instant::now();
            table(&rep, Look{width:Some(120),colour:true}, &mut o).unwrap();
            println!("{keys} {by}: {} rows report {t1:?} table {t2:?} table120 {:?}", rep.rows().len(), t.elapsed());
        }
        let t = std::time::Instant::now();
        let mut o = Vec::new();
        opreport_symbols(&r, &Options::default(), &mut o).unwrap();
        let t1 = t.elapsed();
        opreport_summary(&r, &Options::default(), &mut o).unwrap();
        println!("opreport -l {t1:?} summary {:?}", t.elapsed() - t1);
        let t = std::time::Instant::now();
        println!("{} {:?} {:?}", coverage_line(&r), notes(&r), t.elapsed());
    }
}
