use super::*;

struct Borrowed([u8; 4], usize);

impl AsRef<[u8]> for Borrowed {
    fn as_ref(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

impl AsMut<[u8]> for Borrowed {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0[..self.1]
    }
}

impl Memory for Borrowed {
    fn truncate(&mut self, len: usize) {
        self.1 = self.1.min(len);
    }
}

#[test]
fn where_bytes_lie_makes_no_difference() {
    let mut all = [FileBytes::from(vec![1, 2, 3, 4]), FileBytes::lent(Box::new(Borrowed([1, 2, 3, 4], 4)))];
    for bytes in &mut all {
        assert_eq!((bytes.clone(), &**bytes), (vec![1, 2, 3, 4].into(), &[1, 2, 3, 4][..]));
        bytes[1] = 7;
        bytes.truncate(2);
        bytes.truncate(3);
        assert_eq!(**bytes, [1, 7]);
    }
    assert_eq!(all[0], all[1]);
    assert_ne!(all[0], FileBytes::default());
}
