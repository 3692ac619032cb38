use std::time::Instant; use std::io::BufRead;
fn main() {
    let names: Vec<String> = std::io::stdin().lock().lines().map(|l|l.unwrap()).collect();
    for limit in [16u32,24,28,32,36,40,44,48,56,64,80,96] {
        let mut ok=0; let mut max=std::time::Duration::ZERO; let t0=Instant::now();
        for n in &names { let t=Instant::now();
            if cpp_demangle::Symbol::new_with_options(n.as_bytes(), &cpp_demangle::ParseOptions::default().recursion_limit(limit)).is_ok() {ok+=1;}
            max=max.max(t.elapsed()); if t0.elapsed().as_secs()>5 {break}
        }
        println!("{limit} ok {ok}/{} max {max:?} total {:?}", names.len(), t0.elapsed());
        if t0.elapsed().as_secs()>5 {break}
    }
}
