import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** A device with Java. Licensed under Apache-2.0 OR MIT. */
public final class Client {
    /** PKCS#8 around an ECPrivateKey without its public key; Java reads no other form. */
    private static final byte[] HEAD = HexFormat.of().parseHex(
        "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420");

    public static void main(String[] words) throws Exception {
        Path directory = Path.of(words[0]);
        byte[] document = Files.readAllBytes(directory.resolve("key.bin"));
        System.out.println(document.length == 138 ? "key: PKCS#8" : "key: PKCS#8 made of the scalar");
        if (document.length == 32) {
            byte[] scalar = document;
            document = Arrays.copyOf(HEAD, HEAD.length + 32);
            System.arraycopy(scalar, 0, document, HEAD.length, 32);
        }
        PrivateKey key = KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(document));
        byte[] cert = Files.readAllBytes(directory.resolve("cert.der"));
        byte[] chain = Files.readAllBytes(directory.resolve("chain.der"));
        byte[] path = Arrays.copyOf(cert, cert.length + chain.length);
        System.arraycopy(chain, 0, path, cert.length, chain.length);

        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        own.setKeyEntry("device", key, new char[0], certificates(path).toArray(new Certificate[0]));
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, new char[0]);
        KeyStore roots = KeyStore.getInstance("PKCS12");
        roots.load(null, null);
        int number = 0;
        for (Certificate root : certificates(Files.readAllBytes(directory.resolve("roots.der")))) {
            roots.setCertificateEntry("root" + number++, root);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(roots);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);

        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("localhost", Integer.parseInt(words[1]))) {
            socket.setSoTimeout(120000);
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            boolean both = !words[2].equals(words[3]);
            parameters.setProtocols(both ? new String[] {"TLSv1.3", "TLSv1.2"} : new String[] {"TLSv" + words[2]});
            socket.setSSLParameters(parameters);
            speak(socket, Files.readAllBytes(directory.resolve("client-id")));
        }
        System.out.println("connected");
    }

    /** Certificates that are run together: its factory walks them. */
    private static Collection<? extends Certificate> certificates(byte[] ders) throws Exception {
        return CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(ders));
    }

    private static void speak(SSLSocket socket, byte[] name) throws Exception {
        OutputStream out = socket.getOutputStream();
        DataInputStream in = new DataInputStream(socket.getInputStream());
        byte[] packet = new byte[14 + name.length];
        byte[] head = {0x10, (byte) (12 + name.length), 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, (byte) name.length};
        System.arraycopy(head, 0, packet, 0, 14);
        System.arraycopy(name, 0, packet, 14, name.length);
        out.write(packet);
        byte[] answer = in.readNBytes(4);
        if (answer.length < 4 || answer[0] != 0x20 || answer[3] != 0) {
            throw new IllegalStateException("no CONNACK");
        }
        out.write(new byte[] {(byte) 0xc0, 0});
        if (in.readNBytes(2).length < 2) {
            throw new IllegalStateException("no PINGRESP");
        }
    }
}
