eryx info > /dev/full
