//! The shares of a data key, one for each of its key groups (`shamir/shamir.go`).
//!
//! Every byte is the value at zero of a polynomial over GF(2^8) with the modulus of AES. A share is
//! its values at some x, followed by that x.

use crate::secret::{Plaintext, SecureRandom};

/// Splits a secret into at most 255 shares, any `threshold` of which restore it.
pub fn split(secret: &[u8], shares: u8, threshold: u8, random: SecureRandom<'_>) -> Vec<Plaintext> {
    // Coefficients from the first power of x upwards. The constant is the secret.
    let mut coefficients = vec![vec![0; secret.len()]; usize::from(threshold.saturating_sub(1))];
    for power in &mut coefficients {
        random(power);
    }
    let coefficients: Vec<Plaintext> = coefficients.into_iter().map(Plaintext::new).collect();
    let share = |x: u8| {
        let byte = |at: usize| {
            let powers = coefficients.iter().rev().map(|power| power.expose()[at]);
            powers.fold(0, |sum, power| multiply(sum ^ power, x)) ^ secret[at]
        };
        Plaintext::new((0..secret.len()).map(byte).chain([x]).collect())
    };
    (1..=shares).map(share).collect()
}

/// Restores the secret from shares. `None` if there are fewer than two, if their lengths differ, or if two
/// have the same x. Shares of different secrets yield a wrong secret.
pub fn combine(shares: &[Plaintext]) -> Option<Plaintext> {
    let shares: Vec<(&u8, &[u8])> =
        shares.iter().map(|share| share.expose().split_last()).collect::<Option<_>>()?;
    let length = shares.first()?.1.len();
    let xs: Vec<u8> = shares.iter().map(|(x, _)| **x).collect();
    let is_distinct = (1..xs.len()).all(|at| !xs[..at].contains(&xs[at]));
    let is_even = shares.iter().all(|(_, values)| values.len() == length);
    if shares.len() < 2 || length == 0 || !is_distinct || !is_even {
        return None;
    }
    let weights: Vec<u8> = (0..xs.len()).map(|at| weight(&xs, at)).collect();
    let byte = |at: usize| {
        let terms = shares.iter().zip(&weights);
        terms.fold(0, |sum, ((_, values), weight)| sum ^ multiply(values[at], *weight))
    };
    Some(Plaintext::new((0..length).map(byte).collect()))
}

/// Returns the weight of the share at `at`: the product of x / (x - own x) over all other x.
fn weight(xs: &[u8], at: usize) -> u8 {
    let others = xs.iter().enumerate().filter(|(other, _)| *other != at);
    others.fold(1, |product, (_, x)| multiply(product, multiply(*x, inverse(x ^ xs[at]))))
}

/// Multiplies in constant time, because the shares are secret.
fn multiply(mut one: u8, mut other: u8) -> u8 {
    let mut product = 0;
    for _ in 0..8 {
        product ^= one & 0_u8.wrapping_sub(other & 1);
        let carry = 0_u8.wrapping_sub(one >> 7);
        one = (one << 1) ^ (0x1b & carry);
        other >>= 1;
    }
    product
}

/// Returns the 254th power, which is the inverse.
fn inverse(number: u8) -> u8 {
    let mut power = number;
    let mut product = 1;
    for _ in 0..7 {
        power = multiply(power, power);
        product = multiply(product, power);
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_but_zero_has_an_inverse() {
        assert!((1..=255).all(|number| multiply(number, inverse(number)) == 1));
    }

    use proptest::prelude::*;

    proptest::proptest! {
        #[test]
        fn any_shares_that_are_enough_are_the_secret(
            secret: [u8; 32],
            coefficients: [u8; 32],
            (threshold, indices) in (2_u8..5).prop_flat_map(|threshold| {
                let all = (0..5_usize).collect::<Vec<_>>();
                (Just(threshold), proptest::sample::subsequence(all, usize::from(threshold)..=5))
            }),
        ) {
            let random = |bytes: &mut [u8]| bytes.copy_from_slice(&coefficients);
            let mut shares: Vec<Option<Plaintext>> =
                split(&secret, 5, threshold, &random).into_iter().map(Some).collect();
            let some: Vec<Plaintext> = indices.iter().filter_map(|at| shares[*at].take()).collect();
            assert_eq!(combine(&some).expect("distinct").expose(), secret);
            let few = &some[..usize::from(threshold) - 1];
            if few.len() > 1 && coefficients.iter().all(|byte| *byte != 0) {
                assert_ne!(combine(few).expect("distinct").expose(), secret);
            }
        }

        #[test]
        fn enough_shares_are_the_secret(secret: [u8; 4], slope: [u8; 4], xs in proptest::sample::subsequence((1..=255_u8).collect::<Vec<_>>(), 2..5)) {
            let shares: Vec<Plaintext> = xs.iter().map(|x| {
                let mut share: Vec<u8> =
                    secret.iter().zip(slope).map(|(a, b)| a ^ multiply(b, *x)).collect();
                share.push(*x);
                Plaintext::new(share)
            }).collect();
            assert_eq!(combine(&shares).expect("distinct").expose(), secret);
        }
    }

    #[test]
    fn shares_that_do_not_fit_are_refused() {
        let share = |bytes: &[u8]| Plaintext::new(bytes.to_vec());
        assert!(combine(&[]).is_none());
        assert!(combine(&[share(&[1, 2, 3])]).is_none());
        assert!(combine(&[share(&[1, 2, 3]), share(&[4, 5, 3])]).is_none());
        assert!(combine(&[share(&[1, 2, 3]), share(&[4, 5])]).is_none());
        assert!(combine(&[share(&[1]), share(&[2])]).is_none());
        assert!(combine(&[share(&[]), share(&[])]).is_none());
    }
}
