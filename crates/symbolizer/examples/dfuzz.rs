use std::time::Instant;
fn main() {
    let toks = ["N","I","E","T_","S_","S0_","St","Dp","DT","Dt","L","X","J","F","v","i","1a","P","R","K","M","A_","_","cl","pl","sr","cv","on","dn","gs","st","t","il","tl","nw","Z","_Z","fp","fL","C1","D0","Ul","Ut","B1a","U1a","Do","DO","Dw","f","u1a","G","L_Z","di","dX","sZ","sp","qu","ix","cp","nx","T0_","s","d","TV","Tc","h0_","4","DpT_","Li","LDn","sP","at","az","ti","te","tw","n","DC","W"];
    let mut seed=88172645463325252u64; let mut rnd=move||{seed^=seed<<13;seed^=seed>>7;seed^=seed<<17;seed};
    let start=Instant::now(); let limit: u64=std::env::args().nth(1).unwrap().parse().unwrap();
    let mut worst=std::time::Duration::ZERO; let mut n=0u64; let mut hung=0;
    while start.elapsed().as_secs()<limit {
        let mut name=String::from("_Z");
        for _ in 0..rnd()%3 { name.push_str(toks[(rnd()%toks.len() as u64) as usize]); }
        for _ in 0..1+rnd()%2 {
        let k=1+rnd()%4; let unit:String=(0..k).map(|_|toks[(rnd()%toks.len() as u64) as usize]).collect();
        let reps=[10,20,40,100,1000][(rnd()%5) as usize];
        name.push_str(&unit.repeat(reps)); 
        }
        for _ in 0..rnd()%4 { name.push_str(toks[(rnd()%toks.len() as u64) as usize]); }
        let t=Instant::now(); let (tx,rx)=std::sync::mpsc::channel(); let nm=name.clone();
        std::thread::Builder::new().stack_size(8<<20).spawn(move||{ let _=tx.send(oprof_symbolizer::demangle(&nm)); }).unwrap();
        let r=match rx.recv_timeout(std::time::Duration::from_millis(300)) { Ok(r)=>r, Err(_)=>{ hung+=1; println!("HANG {} {}", name.len(), &name[..name.len().min(100)]); if hung>12 {std::process::exit(1)}; continue } };
        let e=t.elapsed();
        n+=1;
        if e>worst { worst=e; println!("{n} {:?} {} {} {:?}", e, name.len(), &name[..name.len().min(150)], r.map(|r|r.len())); }
    }
    println!("{n}");
}
