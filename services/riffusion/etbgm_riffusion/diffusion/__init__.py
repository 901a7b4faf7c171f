"""Music by diffusion: spectrogram images, denoised from the composer's sound."""
