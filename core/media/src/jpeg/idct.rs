//! From the lowest frequencies of a block to a block of fewer samples.
//!
//! For N samples an edge, value(x) = Σ b(u) · F(u) · cos((2x+1)uπ/2N) with b(0) = √⅛ and b(u) = ½:
//! the transform of T.81 A.3.3 with its cosines stretched over N samples, which is what `libjpeg` does as well.

/// b(u) · cos(…) for two samples, in 12-bit fixed point.
const TWO: [[i32; 2]; 2] = [[1448, 1448], [1448, -1448]];

/// The same for four samples.
const FOUR: [[i32; 4]; 4] =
    [[1448, 1892, 1448, 784], [1448, 784, -1448, -1892], [1448, -784, -1448, 1892], [1448, -1892, 1448, -784]];

/// Writes a block of `scale` by `scale` samples (1, 2 or 4).
///
/// `coefficients` has four to a row and each within ±4,096.
pub(super) fn write(coefficients: &[i32; 16], scale: usize, samples: &mut [u8], stride: usize) {
    match scale {
        1 => samples[0] = sample((coefficients[0] * 512) >> 3),
        2 => transform(&TWO, coefficients, samples, stride),
        _ => transform(&FOUR, coefficients, samples, stride),
    }
}

fn transform<const N: usize>(basis: &[[i32; N]; N], coefficients: &[i32; 16], samples: &mut [u8], stride: usize) {
    let mut columns = [[0; N]; N];
    for (y, weights) in basis.iter().enumerate() {
        for x in 0..N {
            let sum: i32 = (0..N).map(|v| weights[v] * coefficients[v * 4 + x]).sum();
            // Three bits stay behind the point: 4 · 2¹² · 2¹¹ / 2⁹ = 2¹⁶, and 4 · 2¹⁶ · 2¹¹ < 2³¹.
            columns[y][x] = sum >> 9;
        }
    }
    for (row, line) in columns.iter().zip(samples.chunks_mut(stride)) {
        for (weights, slot) in basis.iter().zip(line) {
            let sum: i32 = weights.iter().zip(row).map(|(weight, value)| weight * value).sum();
            *slot = sample(sum >> 6);
        }
    }
}

/// From 9-bit fixed point around 0 to a sample around 128.
fn sample(value: i32) -> u8 {
    (((value + 256) >> 9) + 128).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_fills_the_block_at_every_scale() {
        for (mean, expected) in [(0, 128), (8 * 100, 228), (-8 * 100, 28), (4096, 255), (-4096, 0)] {
            let mut coefficients = [0; 16];
            coefficients[0] = mean;
            for scale in [1, 2, 4] {
                let mut samples = [7; 16];
                write(&coefficients, scale, &mut samples, scale);
                for sample in &samples[..scale * scale] {
                    assert!(sample.abs_diff(expected) <= 1, "{sample} for {expected}");
                }
            }
        }
    }

    #[test]
    fn the_largest_coefficients_do_not_overflow() {
        for value in [4096, -4096] {
            for scale in [1, 2, 4] {
                write(&[value; 16], scale, &mut [0; 16], scale);
            }
        }
    }
}
