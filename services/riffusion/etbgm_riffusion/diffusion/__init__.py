"""Music by diffusion: images of sound, denoised from the composer's."""
