//! A bad network between two programs on this machine: connections through it are cut, lose their
//! answers, are slow or half closed, as the test says. Never an assertion about the product.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

/// What happens to one connection.
#[derive(Debug, Clone, Copy)]
pub enum Accident {
    None,
    /// It is cut after so many bytes from the client.
    CutRequest(usize),
    /// It is cut after so many bytes from the server; with 0 an answer is there, and lost.
    CutAnswer(usize),
    /// The client's sending side is closed after so many bytes from it.
    HalfClose(usize),
    /// Every piece waits this long, in both directions; cut after so many bytes from the server.
    Slow(Duration, usize),
}

/// What happens once, when a client sends a certain text.
#[derive(Debug, Clone, Copy)]
pub enum Trap {
    /// The text does not arrive.
    Before(&'static str),
    /// The text arrives, and what is answered to it does not.
    After(&'static str),
    /// The text does not arrive, and this is answered to it.
    Instead(&'static str, &'static str),
}

/// Passes connections on to a server for as long as this process lives.
pub struct Proxy {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    server: SocketAddr,
    choose: Box<dyn Fn() -> Accident + Send + Sync>,
    trap: Mutex<Option<Trap>>,
    accidents: AtomicUsize,
}

impl Proxy {
    /// A proxy that asks for each connection what is to happen to it.
    pub fn to(server: SocketAddr, choose: impl Fn() -> Accident + Send + Sync + 'static) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            server,
            choose: Box::new(choose),
            trap: Mutex::new(None),
            accidents: AtomicUsize::new(0),
        });
        let accepting = state.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let state = accepting.clone();
                std::thread::spawn(move || state.connect(client));
            }
        });
        Proxy { address, state }
    }

    /// Lays a trap, which the first connection that sends its text falls into.
    pub fn lay(&self, trap: Trap) {
        *self.state.trap.lock().unwrap() = Some(trap);
    }

    /// How many connections were cut, half closed or trapped so far.
    pub fn accidents(&self) -> usize {
        self.state.accidents.load(Ordering::Relaxed)
    }
}

impl State {
    fn connect(self: Arc<State>, client: TcpStream) {
        let Ok(server) = TcpStream::connect(self.server) else {
            return;
        };
        let accident = (self.choose)();
        let there = Passage {
            state: self.clone(),
            from: client.try_clone().unwrap(),
            to: server.try_clone().unwrap(),
        };
        let back = Passage {
            state: self,
            from: server,
            to: client,
        };
        let answers = std::thread::spawn(move || back.pass_answers(accident));
        there.pass_requests(accident);
        let _ = answers.join();
    }
}

/// One direction of a connection.
struct Passage {
    state: Arc<State>,
    from: TcpStream,
    to: TcpStream,
}

impl Passage {
    fn pass_requests(mut self, accident: Accident) {
        let mut left = match accident {
            Accident::CutRequest(bytes) | Accident::HalfClose(bytes) => bytes,
            _ => usize::MAX,
        };
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = self.from.read(&mut buffer) {
            wait(accident);
            match self.sprung(&buffer[..count]) {
                Some(Trap::Before(_)) => return self.cut(),
                Some(Trap::After(_)) => return self.lose_answer(&buffer[..count]),
                Some(Trap::Instead(_, answer)) => return self.answer_instead(answer),
                None => {}
            }
            let passing = count.min(left);
            if self.to.write_all(&buffer[..passing]).is_err() {
                break;
            }
            left -= passing;
            if left == 0 {
                if let Accident::CutRequest(_) = accident {
                    return self.cut();
                }
                self.state.accidents.fetch_add(1, Ordering::Relaxed);
                break;
            }
        }
        let _ = self.to.shutdown(Shutdown::Write);
    }

    fn pass_answers(mut self, accident: Accident) {
        let mut left = match accident {
            Accident::CutAnswer(bytes) | Accident::Slow(_, bytes) => bytes,
            _ => usize::MAX,
        };
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = self.from.read(&mut buffer) {
            wait(accident);
            let passing = count.min(left);
            if self.to.write_all(&buffer[..passing]).is_err() {
                break;
            }
            left -= passing;
            if left == 0 {
                return self.cut();
            }
        }
        let _ = self.to.shutdown(Shutdown::Write);
    }

    /// The trap, if the client has just fallen into it.
    fn sprung(&self, sent: &[u8]) -> Option<Trap> {
        let mut laid = self.state.trap.lock().unwrap();
        let (Trap::Before(text) | Trap::After(text) | Trap::Instead(text, _)) = (*laid)?;
        let found = sent.windows(text.len()).any(|part| part == text.as_bytes());
        if found { laid.take() } else { None }
    }

    fn cut(self) {
        self.state.accidents.fetch_add(1, Ordering::Relaxed);
        let _ = self.from.shutdown(Shutdown::Both);
        let _ = self.to.shutdown(Shutdown::Both);
    }

    /// Answers in the server's place. The rest of the request is read: to close before it would lose the answer.
    fn answer_instead(mut self, answer: &str) {
        self.state.accidents.fetch_add(1, Ordering::Relaxed);
        let _ = self.from.write_all(answer.as_bytes());
        let _ = self.to.shutdown(Shutdown::Both);
        let _ = self.from.shutdown(Shutdown::Write);
        let _ = std::io::copy(&mut self.from, &mut std::io::sink());
    }

    /// The server gets it and answers; the client is gone by then.
    fn lose_answer(mut self, sent: &[u8]) {
        self.state.accidents.fetch_add(1, Ordering::Relaxed);
        let _ = self.from.shutdown(Shutdown::Both);
        let _ = self.to.write_all(sent);
        let _ = self.to.shutdown(Shutdown::Write);
    }
}

fn wait(accident: Accident) {
    if let Accident::Slow(time, _) = accident {
        sleep(time);
    }
}
